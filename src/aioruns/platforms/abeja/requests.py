"""The operations as requests (wire/abeja.md 2)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.http.request import Request, path, query
from aioruns.platforms.abeja.models import AbejaRun, RecentLogs, RunLogs, RunPage
from aioruns.platforms.abeja.payload import run_body

T = TypeVar("T")


def create_run(
    organization_id: str,
    deployment_id: str,
    version_id: str,
    input_data: Mapping[str, str] | str | None = None,
    *,
    output_template: Mapping[str, str] | str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Request[AbejaRun]:
    """Submit a run (wire/abeja.md 2.1)."""
    body = run_body(
        version_id,
        input_data=input_data,
        output_template=output_template,
        model_id=model_id,
        environment=environment,
        retry_count=retry_count,
        distribution=distribution,
    )
    return post_run(organization_id, deployment_id, body, AbejaRun)


def post_run(
    organization_id: str, deployment_id: str, body: Json, returns: type[T]
) -> Request[T]:
    """Submit a run whose body was made already."""
    # wire/abeja.md 1.4: every repetition would be one more run.
    return Request(
        "POST",
        _runs(organization_id, deployment_id),
        returns,
        json=body,
        repeatable=False,
    )


def get_run(organization_id: str, deployment_id: str, run_id: str) -> Request[AbejaRun]:
    """Read one run (wire/abeja.md 2.2)."""
    return read_run(organization_id, deployment_id, run_id, AbejaRun)


def read_run(
    organization_id: str, deployment_id: str, run_id: str, returns: type[T]
) -> Request[T]:
    """Read as much of one run as `returns` takes."""
    return Request("GET", _runs(organization_id, deployment_id, run_id), returns)


def get_runs(
    organization_id: str,
    deployment_id: str,
    *,
    next_page_token: str | None = None,
    scan_forward: bool | None = None,
) -> Request[RunPage]:
    """List runs, newest first unless `scan_forward` (wire/abeja.md 2.3)."""
    return list_runs(
        organization_id,
        deployment_id,
        RunPage,
        next_page_token=next_page_token,
        scan_forward=scan_forward,
    )


def list_runs(
    organization_id: str,
    deployment_id: str,
    returns: type[T],
    *,
    next_page_token: str | None = None,
    scan_forward: bool | None = None,
) -> Request[T]:
    """List as much of the runs as `returns` takes."""
    pairs = query(
        {
            # wire/abeja.md 2.3: booleans are spelled as Python spells them.
            "scan_forward": None if scan_forward is None else str(scan_forward),
            "next_page_token": next_page_token or None,
        }
    )
    return Request("GET", _runs(organization_id, deployment_id), returns, pairs)


def get_run_logs(
    organization_id: str,
    deployment_id: str,
    run_id: str,
    *,
    next_token: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Request[RunLogs]:
    """Read a page of the log, oldest line first (wire/abeja.md 2.4)."""
    pairs = query(
        {
            "next_token": next_token or None,
            "start_time": _second(start_time),
            "end_time": _second(end_time, up=True),
        }
    )
    at = _runs(organization_id, deployment_id, run_id, "logs")
    return Request("GET", at, RunLogs, pairs)


def get_run_recent_logs(
    organization_id: str,
    deployment_id: str,
    run_id: str,
    *,
    next_forward_token: str | None = None,
    next_backward_token: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Request[RecentLogs]:
    """Read a page of the log, newest line first (wire/abeja.md 2.5).

    Raises:
        InvalidInput: Both tokens are given; what a server does then is not documented.
    """
    if next_forward_token and next_backward_token:
        raise InvalidInput(
            "give next_forward_token or next_backward_token: a page is newer or older"
        )
    pairs = query(
        {
            "next_forward_token": next_forward_token or None,
            "next_backward_token": next_backward_token or None,
            "start_time": _second(start_time),
            "end_time": _second(end_time, up=True),
        }
    )
    at = _runs(organization_id, deployment_id, run_id, "recentlogs")
    return Request("GET", at, RecentLogs, pairs)


def _runs(organization_id: str, deployment_id: str, *below: str) -> str:
    # wire/abeja.md 1.1: no slash at the end.
    return path(
        "organizations", organization_id, "deployments", deployment_id, "runs", *below
    )


def _second(time: datetime | None, *, up: bool = False) -> str | None:
    """Whole seconds of UTC without a zone (wire/abeja.md 2.4); no zone means UTC.

    A start is rounded down and an end up, so that no line falls out of the window.
    """
    if time is None:
        return None
    utc = time.astimezone(UTC) if time.tzinfo else time
    whole = utc.replace(microsecond=0, tzinfo=None)
    if up and utc.microsecond:
        whole += timedelta(seconds=1)
    return whole.isoformat()

"""Logs of runs and of services (wire/abeja.md 2.4, 2.5 and 8)."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from aioruns.errors import InvalidInput
from aioruns.http.request import Request, query
from aioruns.platforms.abeja.models import RecentLogs, RunLogs
from aioruns.platforms.abeja.requests.places import below

T = TypeVar("T")


def run_log(organization_id: str, deployment_id: str, run_id: str) -> str:
    """The path of a run's plain log."""
    return below(organization_id, deployment_id, "runs", run_id, "logs")


def get_run_logs(
    organization_id: str,
    deployment_id: str,
    run_id: str,
    *,
    next_token: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Request[RunLogs]:
    """Read a page of a run's log, oldest line first."""
    at = run_log(organization_id, deployment_id, run_id)
    return oldest_first(at, RunLogs, next_token, start_time, end_time)


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
    """Read a page of a run's log, newest line first.

    Raises:
        InvalidInput: Both tokens are given.
    """
    at = below(organization_id, deployment_id, "runs", run_id, "recentlogs")
    return _newest_first(
        at, next_forward_token, next_backward_token, start_time, end_time
    )


def get_service_recent_logs(
    organization_id: str,
    deployment_id: str,
    service_id: str,
    *,
    next_forward_token: str | None = None,
    next_backward_token: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
) -> Request[RecentLogs]:
    """Read a page of a service's log, newest line first.

    Raises:
        InvalidInput: Both tokens are given.
    """
    at = below(organization_id, deployment_id, "services", service_id, "recentlogs")
    return _newest_first(
        at, next_forward_token, next_backward_token, start_time, end_time
    )


def oldest_first(
    at: str,
    returns: type[T],
    next_token: str | None,
    start_time: datetime | None,
    end_time: datetime | None,
) -> Request[T]:
    """Read a page of the plain log at a path, as any type."""
    pairs: tuple[tuple[str, str], ...] = ()
    if next_token:
        pairs = (("next_token", next_token),)
    if start_time is not None or end_time is not None:
        pairs += query(
            {
                "start_time": _second(start_time),
                "end_time": _second(end_time, up=True),
            }
        )
    return Request("GET", at, returns, pairs)


def _newest_first(
    at: str,
    next_forward_token: str | None,
    next_backward_token: str | None,
    start_time: datetime | None,
    end_time: datetime | None,
) -> Request[RecentLogs]:
    if next_forward_token and next_backward_token:
        # wire/abeja.md 2.5: what a server does then is not documented.
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
    return Request("GET", at, RecentLogs, pairs)


def whole_seconds(time: datetime, *, up: bool = False) -> datetime:
    """A time in whole seconds of UTC, rounded down, or up; no zone means UTC.

    Raises:
        InvalidInput: It is no time, or none of the calendar in UTC.
    """
    if not isinstance(time, datetime):
        raise InvalidInput(
            f"start_time and end_time must be datetimes, not {type(time).__name__}"
        )
    try:
        utc = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        whole = utc.replace(microsecond=0)
        return whole + timedelta(seconds=1) if up and utc.microsecond else whole
    except OverflowError as error:
        raise InvalidInput(
            f"{time} is beyond the calendar in UTC: leave the time out for no bound"
        ) from error


def _second(time: datetime | None, *, up: bool = False) -> str | None:
    """Whole seconds of UTC without a zone (wire/abeja.md 2.4).

    A start is rounded down and an end up, so that no line falls out of the window.
    """
    if time is None:
        return None
    return whole_seconds(time, up=up).replace(tzinfo=None).isoformat()

"""Nextmv's requests as values (wire/nextmv.md 3)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from aioruns.http.request import (
    FileBody,
    FileSink,
    Request,
    member,
    path,
    query,
)
from aioruns.platforms.nextmv.live_pages import LivePage
from aioruns.platforms.nextmv.models import (
    ApplicationRecord,
    AssetLink,
    AssetPage,
    BinaryUrl,
    LiveLogPage,
    RunCreated,
    RunInformation,
    RunLog,
    RunPage,
    RunResult,
    UploadURL,
)
from aioruns.platforms.nextmv.single_states import SingleState
from aioruns.platforms.nextmv.state_rows import StateRows

T = TypeVar("T")


@lru_cache(maxsize=1024)  # logs and lists are asked for thousands of times
def _run(app_id: str, run_id: str, *rest: str) -> str:
    return path("v1", "applications", app_id, "runs", run_id, *rest)


@lru_cache(maxsize=1024)
def _app(app_id: str, *rest: str) -> str:
    return path("v1", "applications", app_id, *rest)


def get_application(app_id: str) -> Request[ApplicationRecord]:
    """Read an application."""
    return Request("GET", _app(app_id), ApplicationRecord)


def new_application(
    app_id: str, name: str, description: str | None = None
) -> Request[ApplicationRecord]:
    """Create an application; not repeatable, as a repetition would be refused."""
    body = {"id": app_id, "name": name}
    if description is not None:
        body["description"] = description
    return Request("POST", path("v1", "applications"), ApplicationRecord, json=body)


def new_run(app_id: str, body: bytes, instance_id: str | None) -> Request[RunCreated]:
    """Submit a run. The server names it: sent twice, it would be two runs (8.2).

    The body comes as JSON text, which was made to be measured, and may be long.
    """
    return Request(
        "POST",
        _app(app_id, "runs"),
        RunCreated,
        () if instance_id is None else (("instance_id", instance_id),),
        body=body,
        content_type="application/json",
        repeatable=False,
    )


def upload_url(app_id: str) -> Request[UploadURL]:
    """Ask for a place to upload to; an unused one expires, so repeatable (8.2)."""
    return Request(
        "POST", _app(app_id, "runs", "uploadurl"), UploadURL, repeatable=True
    )


def upload(
    url: str, data: bytes | FileBody, content_type: str | None = None
) -> Request[None]:
    """Put data at a pre-signed address; run data goes without content type (1.2)."""
    return Request("PUT", body=data, content_type=content_type, presigned=url)


def download(url: str, sink: FileSink, content_type: str) -> Request[None]:
    """Get data from a pre-signed address; the content type is documented (1.2)."""
    return Request("GET", content_type=content_type, sink=sink, presigned=url)


def list_runs(app_id: str, page_token: str | None) -> Request[RunPage]:
    """One page of an application's runs; `pagereturn` asks for the paged form (2)."""
    pairs = query({"pagereturn": True, "pagetoken": page_token})
    return Request("GET", _app(app_id, "runs"), RunPage, pairs)


def state_rows(app_id: str, page_token: str | None) -> Request[StateRows]:
    """The page of `list_runs`, as far as states are read from it."""
    pairs = query({"pagereturn": True, "pagetoken": page_token})
    return Request("GET", _app(app_id, "runs"), StateRows, pairs)


def batch_rows(app_id: str, batch_id: str) -> Request[StateRows]:
    """All runs of a batch, as far as states are read from them (8.1)."""
    where = path("v1", "applications", app_id, "experiments", "batch", batch_id, "runs")
    return Request("GET", where, StateRows)


def run_information(app_id: str, run_id: str) -> Request[RunInformation]:
    """State, times and sizes of a run."""
    return Request("GET", _run(app_id, run_id, "metadata"), RunInformation)


def run_state(app_id: str, run_id: str) -> Request[SingleState]:
    """The answer of `run_information`, as far as the state is read from it."""
    # Not kept: where thousands of runs are read singly, looking among 1024 kept paths
    # takes 1.4 us, and making it 0.5 us.
    where = member(_app(app_id, "runs"), run_id) + "/metadata"
    return Request("GET", where, SingleState, repeatable=True)


def run_result(app_id: str, run_id: str, *, as_url: bool = False) -> Request[RunResult]:
    """A run with its output, or with the address of the output."""
    pairs = query({"format": "url" if as_url else None})
    return Request("GET", _run(app_id, run_id), RunResult, pairs)


def run_part(app_id: str, run_id: str, part: str, returns: type[T]) -> Request[T]:
    """A run's `input`, `output` or `ensemble`, as it is."""
    return Request("GET", _run(app_id, run_id, part), returns)


def run_part_url(app_id: str, run_id: str, part: str, returns: type[T]) -> Request[T]:
    """The address of a run's `input` or `output`."""
    pairs = query({"format": "url"})
    return Request("GET", _run(app_id, run_id, part), returns, pairs)


def run_logs(app_id: str, run_id: str) -> Request[RunLog]:
    """The whole log, as one text."""
    return Request("GET", _run(app_id, run_id, "logs"), RunLog)


def live_logs(app_id: str, run_id: str, since: str | None) -> Request[LiveLogPage]:
    """What came after a token; `since`, not `pagetoken` (7.2)."""
    pairs = query({"since": since})
    return Request("GET", _run(app_id, run_id, "logs", "live"), LiveLogPage, pairs)


def live_page(app_id: str, run_id: str, since: str | None) -> Request[LivePage]:
    """The page of `live_logs`, as events."""
    pairs = query({"since": since})
    return Request("GET", _run(app_id, run_id, "logs", "live"), LivePage, pairs)


def cancel_run(app_id: str, run_id: str) -> Request[None]:
    """Ask a run to end; asking twice does no more (8.2)."""
    return Request("PATCH", _run(app_id, run_id, "cancel"), repeatable=True)


def delete_run(app_id: str, run_id: str) -> Request[None]:
    """Delete a run."""
    return Request("DELETE", _run(app_id, run_id))


def list_assets(app_id: str, run_id: str) -> Request[AssetPage]:
    """A run's assets, which come in one page (3.3.2)."""
    return Request("GET", _run(app_id, run_id, "assets"), AssetPage)


def asset_link(app_id: str, run_id: str, asset_id: str) -> Request[AssetLink]:
    """Where an asset's content is."""
    return Request("GET", _run(app_id, run_id, "assets", asset_id), AssetLink)


def binary(app_id: str) -> Request[BinaryUrl]:
    """Ask where to put the archive of a push (6.1)."""
    return Request("GET", _app(app_id, "binary"), BinaryUrl)


def activate(app_id: str, requirements: Mapping[str, object]) -> Request[None]:
    """Make the uploaded archive the application's latest binary (6.1)."""
    return Request(
        "PUT", _app(app_id, "binary"), json={"requirements": dict(requirements)}
    )

"""The official Cloudify client."""

from urllib.parse import urlsplit

from cloudify_rest_client import CloudifyClient  # type: ignore[import-not-found]  # in their own environment

from benchmarks.child import Meter
from benchmarks.clients import pool
from benchmarks.clients.places import APP, KEY, log_run
from benchmarks.stub.shapes import LINES, run_id

_PAGE = 1000


def _client(url: str, authority: str = "") -> CloudifyClient:
    parts = urlsplit(url)
    return CloudifyClient(
        host=parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        cert=authority or None,
        token=KEY,
    )


def logs(meter: Meter, url: str, pages: int) -> dict[str, object]:
    """Page through the log of one execution."""
    client = _client(url)

    def read(run_id: str) -> tuple[int, int]:
        count = requests = 0
        while True:
            page = client.events.list(
                execution_id=run_id,
                include_logs=True,
                sort="reported_timestamp",
                _size=_PAGE,
                _offset=count,
            )
            requests += 1
            for _ in page:
                count += 1
            if count >= page.metadata.pagination.total:
                return count, requests

    read(log_run(20))
    meter.start()
    count, requests = read(log_run(pages))
    meter.stop()
    if count != pages * LINES:
        raise SystemExit(f"{count} lines came")
    return {"requests": requests}


def submit(
    meter: Meter, url: str, count: int, threads: int, authority: str = ""
) -> dict[str, object]:
    """Start executions."""
    client = _client(url, authority)

    def call(number: int) -> object:
        return client.executions.start(APP, "install", parameters={"seed": number}).id

    return pool.measure(meter, call, count, threads)


def states(meter: Meter, url: str, count: int, threads: int) -> dict[str, object]:
    """Read executions one by one."""
    client = _client(url)

    def call(number: int) -> object:
        return client.executions.get(run_id(number)).status

    return pool.measure(meter, call, count, threads)

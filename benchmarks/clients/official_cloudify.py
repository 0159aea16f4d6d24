"""The official Cloudify client."""

from urllib.parse import urlsplit

from cloudify_rest_client import CloudifyClient  # type: ignore[import-not-found]  # in their own environment

from benchmarks.child import Meter
from benchmarks.clients.places import KEY, log_run
from benchmarks.stub.shapes import LINES

_PAGE = 1000


def logs(meter: Meter, url: str, pages: int) -> dict[str, object]:
    """Page through the log of one execution."""
    parts = urlsplit(url)
    client = CloudifyClient(
        host=parts.hostname, port=parts.port, protocol="http", token=KEY
    )

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

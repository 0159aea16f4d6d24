"""The official ABEJA client."""

import importlib
import os

from benchmarks.child import Meter
from benchmarks.clients.places import DEPLOYMENT, KEY, ORGANIZATION, log_run
from benchmarks.stub.shapes import LINES


def logs(meter: Meter, url: str, pages: int) -> dict[str, object]:
    """Page through the log of one run."""
    os.environ["ABEJA_API_URL"] = url  # read once, when the client is imported
    client = importlib.import_module("abeja.runs").APIClient(
        credential={"auth_token": KEY}
    )

    def read(run_id: str) -> int:
        count, token = 0, None
        while True:
            page = client.get_run_logs(
                ORGANIZATION, DEPLOYMENT, run_id, next_token=token
            )
            for _ in page["events"]:
                count += 1
            token = page.get("next_token")
            if token is None:
                return count

    read(log_run(20))
    meter.start()
    count = read(log_run(pages))
    meter.stop()
    if count != pages * LINES:
        raise SystemExit(f"{count} lines came")
    return {"requests": pages}

"""The official ABEJA client."""

import importlib
import os
from typing import Any

from benchmarks.child import Meter
from benchmarks.clients import pool
from benchmarks.clients.places import (
    DATA,
    DEPLOYMENT,
    KEY,
    ORGANIZATION,
    VERSION,
    log_run,
)
from benchmarks.stub.shapes import LINES, run_id


def _client(url: str, authority: str = "") -> Any:
    os.environ["ABEJA_API_URL"] = url  # read once, when the client is imported
    if authority:
        os.environ["REQUESTS_CA_BUNDLE"] = authority
    return importlib.import_module("abeja.runs").APIClient(
        credential={"auth_token": KEY}
    )


def logs(meter: Meter, url: str, pages: int) -> dict[str, object]:
    """Page through the log of one run."""
    client = _client(url)

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


def submit(
    meter: Meter, url: str, count: int, threads: int, authority: str = ""
) -> dict[str, object]:
    """Submit runs; whom to trust it takes from the environment."""
    client = _client(url, authority)

    def call(number: int) -> object:
        return client.create_run(
            ORGANIZATION,
            DEPLOYMENT,
            VERSION,
            DATA,
            environment={"SEED": str(number)},
        )["run_id"]

    return pool.measure(meter, call, count, threads)


def states(meter: Meter, url: str, count: int, threads: int) -> dict[str, object]:
    """Read runs one by one."""
    client = _client(url)

    def call(number: int) -> object:
        return client.get_run(ORGANIZATION, DEPLOYMENT, run_id(number))["status"]

    return pool.measure(meter, call, count, threads)

"""The official Nextmv client."""

import json
import os
from pathlib import Path

from nextmv import PollingOptions  # type: ignore[import-not-found]  # in their own environment
from nextmv.cloud import Application, Client  # type: ignore[import-not-found]  # in their own environment
from nextmv.run import RunInformation  # type: ignore[import-not-found]  # in their own environment

from benchmarks.child import Meter
from benchmarks.clients import pool
from benchmarks.clients.places import APP, KEY, STOPS, log_run
from benchmarks.stub.shapes import LINES, run_id


def logs(meter: Meter, url: str, pages: int) -> dict[str, object]:
    """Collect the log of one run, which ends with its last page."""
    app = Application(client=Client(api_key=KEY, url=url), id=APP)
    options = PollingOptions(initial_delay=0, max_tries=-1, max_duration=-1)
    app.run_logs_with_polling(log_run(3), polling_options=options)
    meter.start()
    lines = app.run_logs_with_polling(log_run(pages), polling_options=options)
    meter.stop()
    if len(lines) != pages * LINES:
        raise SystemExit(f"{len(lines)} lines came")
    return {"requests": pages}


def submit(
    meter: Meter, url: str, count: int, threads: int, authority: str = ""
) -> dict[str, object]:
    """Submit runs; whom to trust it takes from the environment."""
    if authority:
        os.environ["REQUESTS_CA_BUNDLE"] = authority
    app = Application(client=Client(api_key=KEY, url=url), id=APP)

    def call(number: int) -> object:
        return app.new_run(input=STOPS, options={"seed": str(number)})

    return pool.measure(meter, call, count, threads)


def states(meter: Meter, url: str, count: int, threads: int) -> dict[str, object]:
    """Read runs one by one."""
    app = Application(client=Client(api_key=KEY, url=url), id=APP)

    def call(number: int) -> object:
        return app.run_metadata(run_id(number)).metadata.status_v2

    return pool.measure(meter, call, count, threads)


def decode(
    meter: Meter,
    url: str,  # noqa: ARG001 - none is asked
    count: int,
    one: str,
    page: str,  # noqa: ARG001 - a page of its own costs the same a run
) -> dict[str, object]:
    """Decode one run again and again."""
    body = Path(one).read_bytes()
    meter.start()
    for _ in range(count):
        RunInformation.from_dict(json.loads(body))
    meter.stop()
    return {"requests": 0, "count": count}

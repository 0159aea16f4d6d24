"""The official Nextmv client."""

from nextmv import PollingOptions  # type: ignore[import-not-found]  # in their own environment
from nextmv.cloud import Application, Client  # type: ignore[import-not-found]  # in their own environment

from benchmarks.child import Meter
from benchmarks.clients.places import APP, KEY, log_run
from benchmarks.stub.shapes import LINES


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

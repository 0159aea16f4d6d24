"""Use the official ABEJA client against the server that the arguments name."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta

BASE, TOKEN, ORG, DEPLOYMENT, VERSION = sys.argv[1:]
os.environ["ABEJA_API_URL"] = BASE  # the client reads it once, when it is imported

from abeja.exceptions import BadRequest, NotFound, Unauthorized  # noqa: E402 - after the address
from abeja.runs import APIClient  # noqa: E402 - after the address
from abeja.triggers import APIClient as TriggerClient  # noqa: E402 - after the address

BEARER = {"auth_token": TOKEN}
USER = {"user_id": "123", "personal_access_token": TOKEN}
DATASOURCE = {"datasource_id": "456", "datasource_secret": TOKEN}
DATA = {"$datalake:1": "3/2024"}

client = APIClient(credential=BEARER)


def wait(run_id):
    seen = []
    for _ in range(1000):
        run = client.get_run(ORG, DEPLOYMENT, run_id)
        if run["status"] not in seen:
            seen.append(run["status"])
        if run["status"] in {"SUCCEEDED", "FAILED"}:
            return run, seen
        time.sleep(0.02)
    raise TimeoutError(run_id)


def listed(**query):
    pages, token = [], None
    while True:
        body = client.get_runs(ORG, DEPLOYMENT, next_page_token=token, **query)
        pages.append([run["run_id"] for run in body["entries"]])
        token = body.get("next_page_token")
        if token is None:
            return pages


def texts(body):
    return [event["message"] for event in body["events"]]


def logs(run_id, **window):
    pages, token = [], None
    while True:
        body = client.get_run_logs(ORG, DEPLOYMENT, run_id, next_token=token, **window)
        pages.append(texts(body))
        token = body.get("next_token")
        if token is None:
            return pages


def recent(run_id, direction, token):
    pages = []
    while True:
        query = {f"next_{direction}_token": token}
        body = client.get_run_recent_logs(ORG, DEPLOYMENT, run_id, **query)
        if not body["events"]:
            return pages, body
        pages.append(texts(body))
        token = body[f"next_{direction}_token"]


def refusal(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except (BadRequest, NotFound, Unauthorized) as error:
        return [type(error).__name__, error.status_code, error.error]
    return None


created = [
    client.create_run(
        ORG,
        DEPLOYMENT,
        VERSION,
        DATA,
        environment={"NAME": name},
        model_id="77",
        retry_count=0,
        distribution=2,
    )
    for name in ("good", "bad", "good")
]
ids = [run["run_id"] for run in created]
ended = [wait(run_id) for run_id in ids]
now = datetime.now(UTC).replace(tzinfo=None)
minute = timedelta(minutes=1)

newest = client.get_run_recent_logs(ORG, DEPLOYMENT, ids[0])
older, oldest = recent(ids[0], "backward", newest["next_backward_token"])
newer, _ = recent(ids[0], "forward", oldest["next_forward_token"])

triggers = TriggerClient(credential=BEARER)
trigger = triggers.create_trigger(ORG, DEPLOYMENT, VERSION, "datalake", "9")
trigger_id = trigger["trigger_id"]

print(  # noqa: T201 - the answer to the test
    json.dumps(
        {
            "created": created,
            "ended": [run for run, _ in ended],
            "walks": [walk for _, walk in ended],
            "newest_first": listed(),
            "oldest_first": listed(scan_forward=True),
            "logs": {run_id: logs(run_id) for run_id in ids},
            "window": logs(ids[0], start_time=now - minute, end_time=now + minute),
            "before": logs(ids[0], end_time=now - minute),
            "recent": texts(newest),
            "older": older,
            "newer": newer,
            "basic": [
                APIClient(credential=one).get_run(ORG, DEPLOYMENT, ids[0])["run_id"]
                for one in (USER, DATASOURCE)
            ],
            "refusals": {
                "nobody": refusal(APIClient(credential={}).get_runs, ORG, DEPLOYMENT),
                "unknown": refusal(client.get_run, ORG, DEPLOYMENT, "run-0"),
                "version": refusal(client.create_run, ORG, DEPLOYMENT, "ver-0"),
                "token": refusal(
                    client.get_runs, ORG, DEPLOYMENT, next_page_token="nonsense"
                ),
                "both": refusal(
                    client.get_run_recent_logs,
                    ORG,
                    DEPLOYMENT,
                    ids[0],
                    next_forward_token=newest["next_forward_token"],
                    next_backward_token=newest["next_backward_token"],
                ),
            },
            "trigger": trigger,
            "triggers": triggers.get_triggers(ORG, DEPLOYMENT)["entries"],
            "trigger_runs": triggers.get_trigger_runs(ORG, DEPLOYMENT, trigger_id),
            "deleted": triggers.delete_trigger(ORG, DEPLOYMENT, trigger_id),
            "operations": [name for name in dir(client) if not name.startswith("_")],
        }
    )
)

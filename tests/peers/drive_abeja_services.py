"""Use the official ABEJA clients of triggers, services and deployments."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta

BASE, TOKEN, ORG, DEPLOYMENT, VERSION, SERVICE = sys.argv[1:]
os.environ["ABEJA_API_URL"] = BASE  # the client reads it once, when it is imported

from abeja.deployments import APIClient as DeploymentClient  # noqa: E402 - after the address
from abeja.exceptions import BadRequest, NotFound  # noqa: E402 - after the address
from abeja.runs import APIClient as RunClient  # noqa: E402 - after the address
from abeja.services import APIClient as ServiceClient  # noqa: E402 - after the address
from abeja.triggers import APIClient as TriggerClient  # noqa: E402 - after the address

CREDENTIAL = {"auth_token": TOKEN}
AT = (ORG, DEPLOYMENT)
PATIENCE = 20.0

triggers = TriggerClient(credential=CREDENTIAL)
services = ServiceClient(credential=CREDENTIAL)
deployments = DeploymentClient(credential=CREDENTIAL)
runs = RunClient(credential=CREDENTIAL)


def paged(trigger_id, **query):
    pages, token = [], None
    while True:
        body = triggers.get_trigger_runs(
            *AT, trigger_id, next_page_token=token, **query
        )
        pages.append([run["run_id"] for run in body["entries"]])
        token = body.get("next_page_token")
        if token is None:
            return pages


def walk(direction, token, **window):
    """Pages until one is empty, and the tokens of that one."""
    pages = []
    while True:
        query = {f"next_{direction}_token": token, **window}
        body = services.get_service_recent_logs(*AT, SERVICE, **query)
        if not body["events"]:
            return pages, body
        pages.append([event["message"] for event in body["events"]])
        token = body[f"next_{direction}_token"]


def refusal(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except (BadRequest, NotFound) as error:
        return [type(error).__name__, error.status_code, error.error]
    return None


made = triggers.create_trigger(
    *AT,
    VERSION,
    "datalake",
    "9",
    output_service_name="datalake",
    output_service_id="8",
    distribution=1,
    retry_count=2,
    environment={"NAME": "good"},
    model_id="77",
)
trigger_id = made["trigger_id"]
other = triggers.create_trigger(*AT, VERSION, "datalake", "9")

# The test fires the trigger as soon as it sees it.
deadline = time.monotonic() + PATIENCE
while sum(map(len, paged(trigger_id))) < 3:
    if time.monotonic() > deadline:
        raise TimeoutError(trigger_id)
    time.sleep(0.05)
started = triggers.get_trigger_runs(*AT, trigger_id)["entries"][0]

newest = services.get_service_recent_logs(*AT, SERVICE)
older, oldest = walk("backward", newest["next_backward_token"])
newer, quiet = walk("forward", oldest["next_forward_token"])
now = datetime.now(UTC).replace(tzinfo=None)
minute = timedelta(minutes=1)
window = {"start_time": now - minute, "end_time": now + minute}

print(  # noqa: T201 - the answer to the test
    json.dumps(
        {
            "made": made,
            "read": triggers.get_trigger(*AT, trigger_id),
            "listed": triggers.get_triggers(*AT)["entries"],
            "newest_first": paged(trigger_id),
            "oldest_first": paged(trigger_id, scan_forward=True),
            "started": started,
            "as_a_run": runs.get_run(*AT, started["run_id"]),
            "deleted": triggers.delete_trigger(*AT, trigger_id),
            "left": [
                one["trigger_id"] for one in triggers.get_triggers(*AT)["entries"]
            ],
            "other": other["trigger_id"],
            "newest": [event["message"] for event in newest["events"]],
            "stamps": [event["timestamp"] for event in newest["events"]],
            "older": older,
            "newer": newer,
            "still_quiet": walk("forward", quiet["next_forward_token"])[0],
            "in_window": [
                event["message"]
                for event in services.get_service_recent_logs(*AT, SERVICE, **window)[
                    "events"
                ]
            ],
            "before_window": services.get_service_recent_logs(
                *AT, SERVICE, end_time=now - minute
            )["events"],
            "service": services.get_service(*AT, SERVICE),
            "services": services.get_services(*AT)["entries"],
            "deployments": deployments.get_deployments(ORG)["entries"],
            "deployment": deployments.get_deployment(*AT),
            "versions": deployments.get_deployment_versions(*AT)["entries"],
            "version": deployments.get_deployment_version(*AT, VERSION),
            "refusals": {
                "trigger": refusal(triggers.get_trigger, *AT, trigger_id),
                "again": refusal(triggers.delete_trigger, *AT, trigger_id),
                "runs": refusal(triggers.get_trigger_runs, *AT, trigger_id),
                "mail": refusal(triggers.create_trigger, *AT, VERSION, "mail", "9"),
                "service": refusal(services.get_service_recent_logs, *AT, "ser-0"),
                "token": refusal(
                    services.get_service_recent_logs,
                    *AT,
                    SERVICE,
                    next_forward_token="nonsense",
                ),
            },
        }
    )
)

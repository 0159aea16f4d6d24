"""The official Cloudify client in a flow over every operation; prints what it saw.

Arguments: the base URLs of two servers and their token. What is dumped from the first
is restored on the second.
"""

import copy
import json
import logging
import sys
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cloudify_rest_client import CloudifyClient
from cloudify_rest_client.exceptions import CloudifyClientError

ENDED = {"terminated", "failed", "cancelled"}
TENANT = {"tenant": "default_tenant"}


class Errors(logging.Handler):
    """What the client's `restore` only logs."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def until(ask, wanted):
    for _ in range(1000):
        found = ask()
        if wanted(found):
            return found
        time.sleep(0.01)
    raise AssertionError(f"It stays {found}")


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except CloudifyClientError as error:
        return [type(error).__name__, error.status_code, error.error_code]
    return None


def soon(seconds):
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)


def statuses(client, group):
    listed = client.executions.list(
        _group_id=group.id, _include=["id", "status"], sort="created_at"
    )
    return [each.status for each in listed]


def until_statuses(client, group, *wanted):
    return until(lambda: statuses(client, group), lambda s: sorted(s) == sorted(wanted))


def until_ended(client, execution_id):
    ask = client.executions.get
    return until(lambda: ask(execution_id), lambda e: e.status in ENDED)


# -- execution groups ---------------------------------------------------------------


def started_group(client):
    groups = client.execution_groups
    group = groups.start(
        "fleet",
        "solve",
        default_parameters={"lines": 2},
        parameters={"d1": {"lines": 1}},
        concurrency=2,
    )
    yield "started", [group.concurrency, len(group.execution_ids), group.workflow_id]
    yield (
        "targets",
        dict(
            groups.set_target_group(group.id, success_group="good", failed_group="bad")
        ),
    )
    until_statuses(client, group, *["terminated"] * 3)
    full = groups.get(group.id)
    yield "ended", [full.id, full.status, full.execution_ids, full.deployment_group_id]
    yield "good", client.deployment_groups.get("good").deployment_ids
    members = client.executions.list(execution_group_id=group.id, sort="created_at")
    yield "parameters", [each.parameters for each in members]
    counts = client.summary.executions.get(
        _target_field="status", execution_group_id=group.id
    )
    yield "summary", list(counts)
    changes = client.events.list(execution_group_id=group.id)
    yield "changes", [row["event_type"] for row in changes]
    skipped = groups.start("fleet", "only")
    logs = client.events.list(execution_group_id=skipped.id, include_logs=True)
    yield (
        "skipped",
        [len(skipped.execution_ids), {row["type"] for row in logs} != set()],
    )


def paused_group(client):
    groups = client.execution_groups
    group = groups.start("fleet", "sleep", concurrency=0)
    yield "paused", [group.status, statuses(client, group)]
    light = groups.set_concurrency(group.id, 1)
    yield "light", [light.concurrency, light.status, light.execution_ids]
    until_statuses(client, group, "started", "queued", "queued")
    yield "running", groups.get(group.id).status
    groups.cancel(group.id)
    until_statuses(client, group, *["cancelled"] * 3)
    yield "cancelled", groups.get(group.id).status
    groups.resume(group.id)
    until_statuses(client, group, "started", "queued", "queued")
    groups.cancel(group.id, force=True)
    until_statuses(client, group, *["cancelled"] * 3)
    groups.resume(group.id, force=True)
    until_statuses(client, group, "started", "queued", "queued")
    groups.cancel(group.id, kill=True)
    until_statuses(client, group, *["cancelled"] * 3)
    yield "again", refusal(groups.start, "none", "solve")
    yield "concurrency", refusal(groups.set_concurrency, group.id, -1)
    yield "unknown", refusal(groups.get, "none")


def created_group(client):
    made = [
        client.executions.create("d0", "solve", force_status=status).id
        for status in ("terminated", "failed")
    ]
    group = client.execution_groups.create(
        "fleet", "solve", made, id="mine", created_by="admin", concurrency=3
    )
    yield "created", [group.id, group.status, group.execution_ids == made]
    light = client.execution_groups.list(id="mine")
    yield "listed", [[each.id, each.status, each.execution_ids] for each in light]
    full = client.execution_groups.list(id="mine", _get_data=True)
    yield "data", [[each.status, each.execution_ids == made] for each in full]
    again = refusal(client.execution_groups.create, "fleet", "solve", made, id="mine")
    yield "conflict", again


# -- executions ---------------------------------------------------------------------


def reported(client):
    made = client.executions.create(
        "d0",
        "solve",
        force_status="pending",
        execution_id="told",
        created_by="admin",
        created_at="2024-05-01T10:00:00.123Z",
        error="none yet",
    )
    yield "created", [made.id, made.status, made.created_at, made.error]
    yield "should_start", client.executions.should_start("told")
    started = client.executions.update("told", "started")
    yield "updated", [started.status, started.error, started.started_at is not None]
    failed = client.executions.update("told", "failed", error="broke")
    yield "failed", [failed.status, failed.error]
    yield "late", refusal(client.executions.update, "told", "started")
    yield (
        "conflict",
        refusal(client.executions.create, "d0", "solve", execution_id="told"),
    )
    resumed = client.executions.resume("told", force=True)
    yield "resumed", [resumed.status, until_ended(client, "told").status]
    dry = client.executions.start("d0", "solve", dry_run=True)
    yield "dry", [dry.is_dry_run, until_ended(client, dry.id).status]
    long = client.executions.start("d0", "sleep", wait_after_fail=5)
    waiting = client.executions.start("d0", "solve", queue=True)
    yield "requeued", client.executions.requeue(waiting.id).status
    client.executions.cancel(long.id, force=True)
    yield "after", until_ended(client, waiting.id).status
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        when = soon(0.2).isoformat()
        later = client.executions.start("d6", "solve", schedule=when)
    yield "later", [later.status, later.id is not None]
    runs = until(
        lambda: client.executions.list(deployment_id="d6", sort="created_at"), len
    )
    yield "came", until_ended(client, runs[-1].id).workflow_id


def deleted(client):
    ids = [
        client.executions.create("d3", "solve", force_status="failed").id
        for _ in range(4)
    ]
    past = datetime(2020, 1, 1)  # noqa: DTZ001 - the client refuses aware ones
    delete = client.executions.delete
    yield "none", delete(to_datetime=past, deployment_id="d3")
    yield "some", delete(keep_last=1, deployment_id="d3")
    left = client.executions.list(deployment_id="d3")
    yield "left", [each.id for each in left] == ids[-1:]
    yield "rest", delete(deployment_id="d3", id=ids)


# -- events -------------------------------------------------------------------------


def writers(client, execution_id):
    """Several of them, each with a delay between stamp and post."""

    def write(number):
        own = copy.copy(client)
        for n in range(5):
            stamp = soon(0).isoformat()
            time.sleep(0.002 * number)
            log = {
                "message": {"text": f"{number}/{n}"},
                "context": {"operation": "peer"},
                "logger": f"writer-{number}",
                "level": "info",
                "timestamp": stamp,
            }
            own.events.create(execution_id=execution_id, logs=[log], agent_name="a")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def events(client):
    made = client.executions.create("d4", "solve", force_status="started")
    writers(client, made.id)
    event = {
        "event_type": "task_started",
        "message": {"text": "begun"},
        "context": {"task_error_causes": [{"message": "m"}]},
    }
    client.events.create(execution_id=made.id, events=[event], manager_name="m")
    client.events.create(execution_id=made.id)  # nothing
    rows = client.events.list(execution_id=made.id, include_logs=True, sort="timestamp")
    yield "logs", sorted(r["message"] for r in rows if r["type"] == "cloudify_log")
    stamps = [row["timestamp"] for row in rows]
    yield "in_order", stamps == sorted(stamps)
    yield "causes", [r["error_causes"] for r in rows if r["type"] == "cloudify_event"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old, total = client.events.get(made.id, 2, 3, include_logs=True)
    yield "batch", [len(old), total]
    middle = datetime.fromisoformat(stamps[10])
    before = client.events.list(
        execution_id=made.id, include_logs=True, to_datetime=middle
    )
    after = client.events.list(
        execution_id=made.id, include_logs=True, from_datetime=middle
    )
    yield "parts", len(before) + len(after)
    found = client.events.list(execution_id=made.id, include_logs=True, message="3/%")
    yield "found", len(found)
    group = client.execution_groups.start("empty", "solve")
    client.events.create(execution_group_id=group.id, events=[event])
    of_group = client.events.list(execution_group_id=group.id)
    yield "of_group", [row["execution_group_id"] == group.id for row in of_group]
    yield "neither", refusal(client.events.create, events=[event])
    gone = client.events.delete("d4", include_logs=True, to_datetime=middle)
    yield "gone", gone.items
    client.events.delete("d4")
    left = client.events.list(execution_id=made.id, include_logs=True)
    yield "left", {row["type"] for row in left} == {"cloudify_log"}
    client.executions.update(made.id, "terminated")


# -- schedules ----------------------------------------------------------------------


def schedules(client):
    own = client.execution_schedules
    made = own.create(
        "once",
        "d5",
        "solve",
        parameters={"lines": 1},
        execution_arguments={"force": True},
        since=soon(0.2),
        count=1,
    )
    yield "made", [made.id, made.deployment_id, made.workflow_id, made.enabled]
    yield "conflict", refusal(own.create, "once", "d5", "solve", since=soon(9), count=1)
    runs = until(lambda: client.executions.list(deployment_id="d5"), len)
    ended = until_ended(client, runs[0].id)
    yield "ran", [ended.status, ended.parameters]
    after = own.get("once", "d5")
    yield "after", [after.next_occurrence, after["latest_execution_status"]]
    own.create("often", "d5", "solve", since=soon(900), rrule="FREQ=DAILY;COUNT=3")
    changed = own.update(
        "often",
        "d5",
        since=soon(1800),
        stop_on_fail=True,
        enabled=False,
        slip=3,
        rrule="FREQ=DAILY;COUNT=2",
    )
    yield "changed", [changed.stop_on_fail, changed.enabled, changed["slip"]]
    yield "occurrences", len(changed["all_next_occurrences"])
    listed = own.list(sort="id", is_descending=True, _include=["id", "since"])
    yield "listed", [[each.id, each.since is not None] for each in listed]
    yield "dumped", sorted(each["id"] for each in own.dump())
    own.delete("once", "d5")
    yield "left", [each["id"] for each in own.dump(["often", "once"])]
    yield "unknown", refusal(own.get, "once", "d5")


# -- dump and restore -----------------------------------------------------------------


def restored(client, other):
    errors = Errors()
    logger = logging.getLogger("restore")
    logger.addHandler(errors)
    logger.propagate = False
    running = client.executions.start("d0", "sleep")
    until(lambda: client.executions.get(running.id), lambda e: e.status == "started")
    for name in ("executions", "execution_groups", "execution_schedules"):
        ours, theirs = getattr(client, name), getattr(other, name)
        dumped = [each for each in ours.dump() if _restorable(each)]
        theirs.restore(copy.deepcopy(dumped), logger)
        yield name, [_known(dumped) == _known(list(theirs.dump())), len(dumped) > 0]
    broken = other.executions.get(running.id)
    yield "running", [broken.status, broken.error]
    yield "one", [each["id"] for each in client.executions.dump([running.id])]
    yield "group", [each["id"] for each in client.execution_groups.dump(["mine"])]
    yield "errors", errors.texts
    client.executions.cancel(running.id, kill=True)
    until_ended(client, running.id)


def _restorable(entity):
    # The client itself can put back only these groups and schedules.
    return entity.get("execution_ids") != [] and "rrule" in entity.get("rule", "rrule")


def _known(entities):
    # What is under way becomes cancelled, and a group has a status of its own.
    left = {"status", "error", "ended_at"}
    return sorted(
        ({k: v for k, v in each.items() if k not in left} for each in entities),
        key=lambda each: each["id"],
    )


# -- tokens and maintenance -----------------------------------------------------------


def administration(where, login):
    token = login.tokens.create("peer", expiration="+10h")
    client = CloudifyClient(**where, **TENANT, token=token.value)
    yield "works", len(client.executions.list(_size=1))
    yield "token", [token.role, token.username, token.description]
    yield "masked", login.tokens.get(token.id).value.endswith("********")
    yield "listed", [each.id for each in login.tokens.list()] == [token.id]
    login.tokens.delete(token.id)
    yield "deleted", refusal(client.executions.list)
    maintenance = login.maintenance_mode
    yield "off", maintenance.status().status
    maintenance.activate()
    until(maintenance.status, lambda state: state.status == "activated")
    yield "active", refusal(login.executions.list)
    yield "again", refusal(maintenance.activate)
    yield "over", maintenance.deactivate().status
    user = CloudifyClient(**where, **TENANT, username="joe", password="joe-secret")
    mine = user.executions.start("d0", "solve")
    yield "creator", [mine.created_by, until_ended(user, mine.id).status]
    yield "forbidden", refusal(user.executions.start, "d0", "solve", execution_id="x")


def main(url, other_url, token):
    address, other = urlsplit(url), urlsplit(other_url)
    where = {"host": address.hostname, "port": address.port}
    there = {"host": other.hostname, "port": other.port}
    client = CloudifyClient(**where, **TENANT, token=token)
    second = CloudifyClient(**there, **TENANT, token=token)
    login = CloudifyClient(**where, **TENANT, username="admin", password=token)
    seen = {
        "group": dict(started_group(client)),
        "paused": dict(paused_group(client)),
        "created": dict(created_group(client)),
        "reported": dict(reported(client)),
        "deleted": dict(deleted(client)),
        "events": dict(events(client)),
        "schedules": dict(schedules(client)),
        "restored": dict(restored(client, second)),
        "administration": dict(administration(where, login)),
    }
    json.dump(seen, sys.stdout)


main(*sys.argv[1:])

"""What the official Cloudify client sees of a server; printed as one JSON object.

Arguments: the base URL and the token.
"""

import json
import sys
import time
from urllib.parse import urlsplit

from cloudify_rest_client import CloudifyClient
from cloudify_rest_client.exceptions import CloudifyClientError

ENDED = {"terminated", "failed", "cancelled"}


def until(client, execution_id, statuses=ENDED):
    for _ in range(500):
        execution = client.executions.get(execution_id)
        if execution.status in statuses:
            return execution
        time.sleep(0.02)
    raise AssertionError(f"{execution_id} stays {execution.status}")


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except CloudifyClientError as error:
        return [type(error).__name__, error.status_code, error.error_code]
    return None


def logs_of(client, execution_id):
    rows = client.events.list(
        execution_id=execution_id, include_logs=True, sort="reported_timestamp"
    )
    return {
        "total": rows.metadata.pagination.total,
        "logs": [r["message"] for r in rows if r["type"] == "cloudify_log"],
        "events": [r["event_type"] for r in rows if r["type"] == "cloudify_event"],
    }


def paged(client, size):
    ids, offset = [], 0
    while True:
        page = client.executions.list(
            sort="created_at", is_descending=True, _size=size, _offset=offset
        )
        ids += [each.id for each in page]
        offset += len(page)
        if not len(page) or offset >= page.metadata.pagination.total:
            return ids


def one_run(client, login):
    first = login.executions.start("peer", "solve", parameters={"lines": 3})
    ended = until(login, first.id)
    yield (
        "first",
        {
            "id": first.id,
            "at_first": first.status,
            "status": ended.status,
            "display": ended.status_display,
            "parameters": ended.parameters,
            "error": ended.error,
            "times": [ended.created_at, ended.started_at, ended.ended_at],
            **logs_of(client, first.id),
        },
    )
    events_only = client.events.list(execution_id=first.id)
    yield "events_only", [row["type"] for row in events_only]
    matching = client.events.list(
        execution_id=first.id, include_logs=True, message="%line 1%"
    )
    yield "matching", [row["message"] for row in matching]
    told = {"message": {"text": "told"}, "context": {}, "level": "debug"}
    client.events.create(execution_id=first.id, logs=[told | {"logger": "peer"}])
    yield "told", logs_of(client, first.id)["logs"][-1]

    failed = until(client, client.executions.start("peer", "fail").id)
    yield (
        "failed",
        {
            "id": failed.id,
            "status": failed.status,
            "error": failed.error,
            **logs_of(client, failed.id),
        },
    )


def busy_and_canceled(client):
    long = client.executions.start("peer", "sleep")
    until(client, long.id, {"started"})
    yield "busy", refusal(client.executions.start, "peer", "solve")
    queued = client.executions.start("peer", "solve", queue=True)
    forced = client.executions.start("peer", "solve", force=True)
    yield "beside", [queued.status, forced.status]
    yield "should_start", client.executions.should_start(queued.id)
    until(client, forced.id)
    cancelling = client.executions.cancel(long.id)
    yield (
        "canceled",
        {
            "id": long.id,
            "at_first": cancelling.status,
            "status": until(client, long.id).status,
            **logs_of(client, long.id),
        },
    )
    yield "again", refusal(client.executions.cancel, long.id)
    yield "queued", {"id": queued.id, "status": until(client, queued.id).status}

    killed = client.executions.start("peer", "sleep")
    killing = client.executions.cancel(killed.id, kill=True)
    status = until(client, killed.id).status
    yield "killed", {"id": killed.id, "at_first": killing.status, "status": status}
    resumed = client.executions.resume(killed.id)
    yield "resumed", [resumed.status, resumed["resume"]]
    client.executions.cancel(killed.id, force=True)
    until(client, killed.id)


def lists(client, first, failed):
    everything = client.executions.list(sort="created_at", is_descending=True)
    yield "listed", [each.id for each in everything]
    yield "total", everything.metadata.pagination.total
    yield "paged", paged(client, 2)
    bulk = client.executions.list(
        id=[first, failed], _include=["id", "status"], sort="created_at"
    )
    yield "bulk", [dict(each) for each in bulk]
    yield "failed_only", [e.id for e in client.executions.list(status="failed")]
    counts = client.summary.executions.get(_target_field="status")
    yield "summary", {item["status"]: item["executions"] for item in counts}
    yield "dumped", sorted(each["id"] for each in client.executions.dump())

    for _ in range(3):
        until(client, client.executions.start("other", "solve").id)
    yield "deleted", client.executions.delete(deployment_id="other", keep_last=1)
    yield "left", len(client.executions.list(deployment_id="other"))


def refusals(client, wrong, stranger):
    start = client.executions.start
    return {
        "password": refusal(wrong.executions.list),
        "tenant": refusal(stranger.executions.list),
        "unknown": refusal(client.executions.get, "none"),
        "workflow": refusal(start, "peer", "none"),
        "parameters": refusal(start, "peer", "declared", parameters={"odd": 1}),
    }


def main(url, token):
    address = urlsplit(url)
    where = {"host": address.hostname, "port": address.port}
    tenant = {"tenant": "default_tenant"}
    client = CloudifyClient(**where, token=token, **tenant)
    login = CloudifyClient(**where, username="admin", password=token, **tenant)
    wrong = CloudifyClient(**where, username="admin", password="wrong", **tenant)
    seen = {
        "deployments": [each.id for each in client.deployments.list()],
        "workflows": sorted(
            each["name"] for each in client.deployments.get("peer").workflows
        ),
        "version": client.manager.get_version()["version"],
    }
    seen |= one_run(client, login)
    seen |= busy_and_canceled(client)
    seen |= lists(client, seen["first"]["id"], seen["failed"]["id"])
    seen["refusals"] = refusals(client, wrong, CloudifyClient(**where, token=token))
    json.dump(seen, sys.stdout)


main(*sys.argv[1:])

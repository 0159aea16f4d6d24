"""The operations on runs that exist (wire/kubeflow.md 2.2 to 2.8)."""

import math
import re

from aioruns.local.kubeflow import views_v1, views_v2
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.errors import (
    ABORTED,
    INTERNAL,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    Refusal,
)
from aioruns.local.kubeflow.installation import PLATFORM
from aioruns.local.kubeflow.listing import page, question
from aioruns.local.kubeflow.messages import REPORT, RESOURCE_TYPES
from aioruns.local.kubeflow.rows import Metric, detail, omit_empty
from aioruns.local.kubeflow.states import told
from aioruns.local.records import Json, RunRecord, State, utcnow

_METRIC_NAME = re.compile(r"[a-zA-Z]([-_a-zA-Z0-9]{0,62}[a-zA-Z0-9])?")


async def get(call: Call) -> Json:
    """GET /runs/{id}."""
    if call.version == "v1beta1":
        return await views_v1.run_detail(call.service, call.run("get"))
    return views_v2.run(call.service, call.run("get"))


async def list_(call: Call) -> Json:
    """GET /runs: a page of runs in a scope."""
    service, query = call.service, call.query()
    v1 = call.version == "v1beta1"
    default = min(20, service.settings.page_size)
    if "experiment-columns" in service.defects and "experiment_id" in (
        query.get("sort_by", "") + query.get("filter", "")
    ):
        raise Refusal(INTERNAL, "Unknown column 'experiment_id' in 'where clause'.")
    asked = question(query, call.version, service.generation, default)
    scope = _scope_v1(call, query) if v1 else query.get("experiment_id", "")
    namespace = _namespace(call, query)
    rows = service.runs(scope or None)
    if service.access.multi_user:
        if not scope and not namespace:
            raise Refusal(INVALID, "A namespace or an experiment is required.")
        if namespace:
            rows = [row for row in rows if detail(row)["namespace"] == namespace]
    known = not scope or scope in service.experiments
    if not known and service.generation != "G1":
        raise Refusal(NOT_FOUND, f"Experiment {scope} not found.")
    call.check("list", namespace or service.namespace(scope))
    found, total, token = page(_narrowed(call, query, rows), asked, service.generation)
    view = views_v1.run if v1 else views_v2.run
    shown = [view(service, record) for record in found]
    return omit_empty({"runs": shown, "total_size": total, "next_page_token": token})


def _scope_v1(call: Call, query: dict[str, str]) -> str:
    """The experiment of the two dotted parameters (wire/kubeflow.md 2.3)."""
    kind = query.get("resource_reference_key.type", "")
    id_ = query.get("resource_reference_key.id", "")
    names = {str(number): name for name, number in RESOURCE_TYPES.items()}
    name = names.get(kind, kind)
    if kind and name not in RESOURCE_TYPES:
        raise Refusal(INVALID, f"{kind!r} is not a resource type.", gateway=True)
    unusable = {"", "UNKNOWN_RESOURCE_TYPE"}
    if call.service.generation == "G1":
        unusable.add("PIPELINE")
    if (kind or id_) and (name in unusable or not id_):
        raise Refusal(INVALID, "Unrecognized resource reference type.")
    return id_ if name == "EXPERIMENT" else ""


def _namespace(call: Call, query: dict[str, str]) -> str:
    """The namespace that is asked for; single-user servers ignore it."""
    if call.version == "v2beta1":
        return query.get("namespace", "")
    named = query.get("resource_reference_key.type", "") in {"NAMESPACE", "5"}
    return query.get("resource_reference_key.id", "") if named else ""


def _narrowed(
    call: Call, query: dict[str, str], rows: list[RunRecord]
) -> list[RunRecord]:
    """G1 also scopes by recurring run and by version."""
    kind = query.get("resource_reference_key.type", "")
    id_ = query.get("resource_reference_key.id", "")
    if call.service.generation != "G1" or kind not in {"JOB", "2"} | {
        "PIPELINE_VERSION",
        "4",
    }:
        return rows
    if kind in {"JOB", "2"}:
        return [row for row in rows if detail(row)["recurring_run_id"] == id_]
    return [row for row in rows if detail(row)["source"].get("version_id") == id_]


async def archive(call: Call) -> Json:
    """POST /runs/{id}:archive; allowed in any state."""
    return await _store(call, "archive", "ARCHIVED")


async def unarchive(call: Call) -> Json:
    """POST /runs/{id}:unarchive."""
    record = call.service.find(call.ids["run_id"])
    experiment = call.service.experiments.get(record.scope) if record else None
    if experiment and experiment.archived and call.service.generation != "G1":
        raise Refusal(PRECONDITION, "The experiment is archived; unarchive it first.")
    return await _store(call, "unarchive", "AVAILABLE")


async def _store(call: Call, verb: str, storage: str) -> Json:
    # wire/kubeflow.md 2.4: G1 does not look whether the run exists, unless it must
    # look whether the user may do it
    careless = call.service.generation == "G1" and not call.service.access.multi_user
    if careless and not call.service.find(call.ids["run_id"]):
        return {}
    record = call.run(verb)
    detail(record)["storage"] = storage
    await call.service.engine.save(record)
    return {}


async def delete(call: Call) -> Json:
    """DELETE /runs/{id}; allowed in any state."""
    await call.service.engine.remove(PLATFORM, call.run("delete").id)
    return {}


async def terminate(call: Call) -> Json:
    """Mark the run and tell the workflow to stop (wire/kubeflow.md 2.6)."""
    record = call.run("terminate")
    if record.state.final or told(record) == "terminate":
        raise Refusal(
            INVALID, f"Run {record.id} cannot be terminated: it is not active."
        )
    detail(record)["requests"].append([utcnow().isoformat(), "terminate"])
    await call.service.engine.save(record)
    if "gone-workflow" in call.service.defects:
        raise Refusal(INTERNAL, f"workflows.argoproj.io of {record.id} not found.")
    await call.service.engine.cancel(PLATFORM, record.id)
    return {}


async def retry(call: Call) -> Json:
    """Run the failed steps again under the same id (wire/kubeflow.md 2.7)."""
    record = call.run("retry")
    if record.state not in {State.FAILED, State.CANCELED}:
        raise Refusal(
            ABORTED,
            f"Failed to retry run {record.id}: workflow must be Failed/Error to retry.",
        )
    requests = detail(record)["requests"]
    requests.append([utcnow().isoformat(), "retry"])
    try:
        await call.service.engine.reset(PLATFORM, record.id)
    except ValueError as error:
        requests.pop()
        raise Refusal(ABORTED, f"Failed to retry run {record.id}: {error}") from None
    await call.service.engine.save(record)
    return {}


async def report_metrics(call: Call) -> Json:
    """POST /runs/{id}:reportMetrics; each metric has its own outcome."""
    sent = (await call.body(REPORT)).get("metrics", [])
    record = call.run("reportMetrics")
    results = [_report(call, record, metric) for metric in sent]
    await call.service.engine.save(record)
    return omit_empty({"results": results})


def _report(call: Call, record: RunRecord, sent: dict[str, Json]) -> dict[str, Json]:
    """Store one metric; the first value wins (wire/kubeflow.md 9)."""
    name, node_id = sent.get("name", ""), sent.get("node_id", "")
    value = sent.get("number_value", 0.0)
    stored, status, message = detail(record)["metrics"], "OK", ""
    wrong = ""
    if not _METRIC_NAME.fullmatch(name):
        wrong = "metric.name does not match the pattern"
    elif not 1 <= len(node_id.encode()) <= 128:
        wrong = "metric.node_id must have 1 to 128 bytes"
    if wrong:
        status = "INVALID_ARGUMENT"
        message = wrong if call.service.generation == "G1" else ""
    elif not math.isfinite(value):
        status, message = "INTERNAL_ERROR", "The value cannot be stored."
    elif any(m["name"] == name and m["node_id"] == node_id for m in stored):
        status, message = "DUPLICATE_REPORTING", f"already reported: {node_id}/{name}"
    else:
        kind = sent.get("format", "UNSPECIFIED")
        stored.append(
            Metric(
                name=name,
                node_id=node_id,
                number_value=value,
                format="" if kind == "UNSPECIFIED" else kind,
            )
        )
    return omit_empty(
        {
            "metric_name": name,
            "metric_node_id": node_id,
            "status": status,
            "message": message,
        }
    )

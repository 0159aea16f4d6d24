"""Runs as v2beta1 shows them (wire/kubeflow.md 3.3)."""

import uuid

from aioruns.local.kubeflow.graph import nodes
from aioruns.local.kubeflow.installation import Installation
from aioruns.local.kubeflow.rows import detail, omit_empty
from aioruns.local.kubeflow.states import (
    EPOCH,
    YEAR_ONE,
    from_unix,
    history,
    scheduled,
    stamp,
    state,
    task_state,
)
from aioruns.local.kubeflow.workflow import manifest
from aioruns.local.records import Json, RunRecord, State


def run(service: Installation, record: RunRecord) -> dict[str, Json]:
    """A `V2beta1Run`."""
    row = detail(record)
    source = row["source"]
    reference = {
        "pipeline_id": source.get("pipeline_id"),
        "pipeline_version_id": source.get("version_id"),
    }
    stored = bool(source.get("version_id"))
    tasks = _tasks(record)
    return omit_empty(
        {
            "experiment_id": record.scope,
            "run_id": record.id,
            "display_name": row["name"],
            "storage_state": row["storage"],
            "description": row["description"],
            "pipeline_spec": {} if stored else manifest(record),
            "pipeline_version_reference": reference if stored else {},
            "runtime_config": _runtime_config(record),
            "service_account": row["service_account"],
            "created_at": stamp(record.created),
            "scheduled_at": from_unix(scheduled(record, service.generation)),
            "finished_at": stamp(record.ended) if record.state.final else EPOCH,
            "state": state(record),
            "run_details": {"task_details": tasks} if tasks else {},
            "recurring_run_id": row["recurring_run_id"],
            "state_history": history(record),
            "plugins_input": row["plugins_input"],
        }
    )


def _runtime_config(record: RunRecord) -> dict[str, Json]:
    row = detail(record)
    return row["runtime_config"] or omit_empty({"parameters": dict(row["parameters"])})


def _tasks(record: RunRecord) -> list[dict[str, Json]]:
    """One entry a workflow node, with only what the server really fills in."""
    if record.state is State.QUEUED and not record.started:
        return []
    tasks = []
    for node in nodes(record).values():
        children = [{"pod_name": child} for child in node.get("children", ())]
        entry = {
            "run_id": record.id,
            "task_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{record.id}/{node['id']}")),
            "display_name": node["displayName"],
            "create_time": stamp(record.created),
            "start_time": node["startedAt"] or YEAR_ONE,
            "end_time": node["finishedAt"] or YEAR_ONE,
            "state": task_state(node["phase"]),
            "child_tasks": children,
        }
        tasks.append(omit_empty(entry))
    return tasks

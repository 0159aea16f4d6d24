"""The runtime manifest: the Argo object of a run with its status and nodes."""

import json

from aioruns.local.engine import Engine
from aioruns.local.kubeflow.installation import PLATFORM
from aioruns.local.kubeflow.manifests import STDOUT, ManifestError, read
from aioruns.local.kubeflow.rows import detail, named, omit_empty
from aioruns.local.kubeflow.states import stamp, told
from aioruns.local.records import Json, RunRecord, State, TaskRecord

_PHASES = {
    State.QUEUED: "Pending",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Succeeded",
    State.FAILED: "Failed",
    State.CANCELED: "Failed",
}


def manifest(record: RunRecord) -> dict[str, Json]:
    """The run's manifest as it was submitted."""
    try:
        return read(detail(record)["source"]["manifest"])
    except ManifestError:  # it was read when the run was created
        return {}


async def runtime_manifest(engine: Engine, record: RunRecord) -> dict[str, Json]:
    """The workflow object as the agent last reported it (wire/kubeflow.md 6.4)."""
    row, submitted = detail(record), manifest(record)
    metadata = dict(submitted.get("metadata") or {}) | {"name": row["workflow"]}
    metadata["labels"] = {**(metadata.get("labels") or {}), "pipeline/runid": record.id}
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        "pipelines.kubeflow.org/run_name": row["name"],
    }
    spec = dict(submitted.get("spec") or {})
    values = dict(row["parameters"])
    arguments = dict(spec.get("arguments") or {})
    declared = [
        {**entry, "value": values.pop(entry["name"], entry.get("value"))}
        for entry in arguments.get("parameters") or []
    ]
    arguments["parameters"] = declared + named(list(values.items()))
    spec["arguments"] = arguments
    if told(record) == "terminate":
        spec["activeDeadlineSeconds"] = 0  # wire/kubeflow.md 4.2
    return {
        "apiVersion": submitted.get("apiVersion", "argoproj.io/v1alpha1"),
        "kind": "Workflow",
        "metadata": metadata,
        "spec": spec,
        "status": await _status(engine, record),
    }


async def _status(engine: Engine, record: RunRecord) -> dict[str, Json]:
    times: dict[str, Json] = {
        "startedAt": _time(record, "started"),
        "finishedAt": _time(record, "ended"),
    }
    if record.state is State.QUEUED and not record.started:
        return times
    shown = nodes(record)
    for node in detail(record)["nodes"]:
        if shown.get(node["id"], {}).get("phase") == "Succeeded":
            outputs = await _outputs(engine, record, node)
            shown[node["id"]] |= {"outputs": outputs} if outputs else {}
    return {
        "phase": _phase(record),
        **times,
        **omit_empty({"message": _run_message(record, shown)}),
        "nodes": shown,
    }


def _phase(record: RunRecord) -> str:
    """The workflow's; once it was picked up it is running, retried or not."""
    return _PHASES[record.state] if record.state.final else "Running"


def nodes(record: RunRecord) -> dict[str, dict[str, Json]]:
    """The status nodes by id, without outputs; tasks still waiting have none."""
    row = detail(record)
    shown = {}
    for node in row["nodes"]:
        entry = _node(record, node)
        if entry:
            shown[node["id"]] = entry
    if not row["dag"]:
        return shown
    for node in row["nodes"]:
        if node["id"] in shown:
            below = [n["id"] for n in row["nodes"] if node["task"] in n["after"]]
            children = [child for child in below if child in shown]
            shown[node["id"]] |= {"children": children} if children else {}
            shown[node["id"]]["boundaryID"] = row["workflow"]
    return {row["workflow"]: _root(record, shown)} | shown


def _root(record: RunRecord, shown: dict[str, dict[str, Json]]) -> dict[str, Json]:
    row = detail(record)
    first = [n["id"] for n in row["nodes"] if not n["after"] and n["id"] in shown]
    needed = {task for node in row["nodes"] for task in node["after"]}
    last = [
        n["id"] for n in row["nodes"] if n["task"] not in needed and n["id"] in shown
    ]
    root = {
        "id": row["workflow"],
        "name": row["workflow"],
        "displayName": row["workflow"],
        "type": "DAG",
        "templateName": row["entrypoint"],
        "phase": _phase(record),
        "startedAt": _time(record, "started"),
        "finishedAt": _time(record, "ended"),
        "children": first,
    }
    return root | ({"outboundNodes": last} if record.state.final else {})


def _node(record: RunRecord, node: dict[str, Json]) -> dict[str, Json]:
    task = record.tasks[node["task"]]
    entry: dict[str, Json] = {
        "id": node["id"],
        "name": node["name"],
        "displayName": node["display_name"],
        "type": "Pod",
        "templateName": node["template"],
        "phase": _PHASES[task.state],
        "startedAt": stamp(task.started) if task.started else None,
        "finishedAt": stamp(task.ended) if task.ended else None,
    }
    if node["inputs"]:
        entry["inputs"] = {"parameters": named(list(node["inputs"].items()))}
    if task.started is None:
        ready = all(
            record.tasks[name].state is State.SUCCEEDED for name in node["after"]
        )
        if record.state.final and node["after"] and not ready:
            message = "omitted: depends condition not met"
            omitted = {"type": "Skipped", "phase": "Omitted", "message": message}
            return entry | omitted
        if not ready:
            return {}
    return entry | omit_empty({"message": _message(record, task)})


def _message(record: RunRecord, task: TaskRecord) -> str:
    if task.state is State.CANCELED or (
        task.state is State.FAILED and told(record) == "terminate"
    ):
        return "Step exceeded its deadline"
    if task.state is not State.FAILED:
        return ""
    if task.exit_code is None:
        return f"Error: {task.error}"
    code = f"Error (exit code {task.exit_code})"
    # The engine's own words for an exit code would only repeat it.
    said = task.error and not task.error.startswith(("exit status", "killed by"))
    return f"{code}: {task.error}" if said else code


def _run_message(record: RunRecord, shown: dict[str, dict[str, Json]]) -> str:
    """The reason a run failed; nowhere else is it told (wire/kubeflow.md 6.4)."""
    failed = [node for node in shown.values() if node["phase"] == "Failed"]
    if not record.state.final or not failed:
        return ""
    # A DAG's root comes first; its children know more.
    last = failed[-1]
    if len(failed) > 1:
        return f"child '{last['id']}' failed"
    return str(last.get("message", ""))


async def _outputs(
    engine: Engine, record: RunRecord, node: dict[str, Json]
) -> dict[str, Json]:
    parameters, artifacts = [], []
    for name, path in node["outputs"].items():
        if path == STDOUT:
            data = await engine.stdout(PLATFORM, record.id, node["task"])
        else:
            data = await engine.kept(PLATFORM, record.id, node["task"], path)
        if data is not None:
            value = data.decode(errors="replace").removesuffix("\n")
            source = {"path": path}
            parameters.append({"name": name, "valueFrom": source, "value": value})
    for name, path in node["artifacts"].items():
        if await engine.kept(PLATFORM, record.id, node["task"], path) is not None:
            key = f"artifacts/{detail(record)['workflow']}/{node['id']}/{name}.tgz"
            artifacts.append({"name": name, "path": path, "s3": {"key": key}})
    return omit_empty({"parameters": parameters, "artifacts": artifacts})


def _time(record: RunRecord, which: str) -> str | None:
    moment = record.started if which == "started" else record.ended
    return stamp(moment) if moment else None


def as_text(workflow: dict[str, Json]) -> str:
    """The manifest as `pipeline_runtime.workflow_manifest` carries it."""
    return json.dumps(workflow, separators=(",", ":"))

"""The runtime manifest: the Argo object of a run with its status and nodes."""

import json

from aioruns.local.engine import Engine
from aioruns.local.kubeflow.graph import nodes, phase_of, time_of
from aioruns.local.kubeflow.installation import PLATFORM
from aioruns.local.kubeflow.manifests import STDOUT, ManifestError, read
from aioruns.local.kubeflow.rows import detail, named, omit_empty
from aioruns.local.kubeflow.states import told
from aioruns.local.records import Json, RunRecord, State


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
        "startedAt": time_of(record, "started"),
        "finishedAt": time_of(record, "ended"),
    }
    if record.state is State.QUEUED and not record.started:
        return times
    shown = nodes(record)
    for node in detail(record)["nodes"]:
        if shown.get(node["id"], {}).get("phase") == "Succeeded":
            outputs = await _outputs(engine, record, node)
            shown[node["id"]] |= {"outputs": outputs} if outputs else {}
    return {
        "phase": phase_of(record),
        **times,
        **omit_empty({"message": _run_message(record, shown)}),
        "nodes": shown,
    }


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


def as_text(workflow: dict[str, Json]) -> str:
    """The manifest as `pipeline_runtime.workflow_manifest` carries it."""
    return json.dumps(workflow, separators=(",", ":"))

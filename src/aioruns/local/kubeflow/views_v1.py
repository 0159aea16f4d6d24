"""Runs as v1beta1 shows them (wire/kubeflow.md 3.2)."""

from aioruns.local.kubeflow.installation import Installation
from aioruns.local.kubeflow.rows import Detail, detail, named, omit_empty
from aioruns.local.kubeflow.states import EPOCH, from_unix, scheduled, stamp, status
from aioruns.local.kubeflow.workflow import as_text, runtime_manifest
from aioruns.local.records import Json, RunRecord


def run(service: Installation, record: RunRecord) -> dict[str, Json]:
    """An `ApiRun`: the manifest text is repeated in every one, lists included."""
    row = detail(record)
    archived = "STORAGESTATE_ARCHIVED" if row["storage"] == "ARCHIVED" else ""
    return {
        **omit_empty(
            {
                "id": record.id,
                "name": row["name"],
                "storage_state": archived,
                "description": row["description"],
            }
        ),
        "pipeline_spec": _spec(service, row),
        "resource_references": _references(service, record),
        "service_account": row["service_account"],
        "created_at": stamp(record.created),
        "scheduled_at": from_unix(scheduled(record, service.generation)),
        "finished_at": stamp(record.ended) if record.state.final else EPOCH,
        **omit_empty(
            {
                "status": status(record, service.generation),
                "metrics": [
                    {
                        **omit_empty({"name": m["name"], "node_id": m["node_id"]}),
                        "number_value": m["number_value"],
                        **omit_empty({"format": m["format"]}),
                    }
                    for m in row["metrics"]
                ],
            }
        ),
    }


async def run_detail(service: Installation, record: RunRecord) -> dict[str, Json]:
    """An `ApiRunDetail`."""
    workflow = await runtime_manifest(service.engine, record)
    runtime = {"workflow_manifest": as_text(workflow)}
    return {"run": run(service, record), "pipeline_runtime": runtime}


def _spec(service: Installation, row: Detail) -> dict[str, Json]:
    source = row["source"]
    # wire/kubeflow.md 3.2: on G1 only when the pipeline's own id was sent
    by_pipeline = source.get("by") == "pipeline"
    g1 = service.generation == "G1"
    return omit_empty(
        {
            "pipeline_id": source.get("pipeline_id") if by_pipeline or not g1 else "",
            "pipeline_name": source.get("name") if by_pipeline or not g1 else "",
            "workflow_manifest": source["manifest"],
            "parameters": named(row["parameters"]),
        }
    )


def _references(service: Installation, record: RunRecord) -> list[Json]:
    row, g1 = detail(record), service.generation == "G1"
    sent = row["references"]
    shown = [{**entry} for entry in sent] if g1 else []
    kinds = {entry["key"]["type"] for entry in shown}
    wanted = [("EXPERIMENT", record.scope, "OWNER")]
    version = row["source"].get("version_id")
    if row["recurring_run_id"]:
        wanted.append(("JOB", row["recurring_run_id"], "CREATOR"))
    elif version and (not g1 or row["source"].get("by") == "pipeline"):
        wanted.append(("PIPELINE_VERSION", version, "CREATOR"))
    if row["namespace"] and not g1:
        wanted.append(("NAMESPACE", row["namespace"], "OWNER"))
    for kind, id_, relationship in wanted:
        if kind not in kinds:
            key = {"type": kind, "id": id_}
            shown.append({"key": key, "relationship": relationship})
    if g1:
        shown = [
            {**entry, **omit_empty({"name": _name(service, entry["key"])})}
            for entry in shown
        ]
    return shown


def _name(service: Installation, key: dict[str, str]) -> str:
    if key["type"] == "EXPERIMENT" and key["id"] in service.experiments:
        return service.experiments[key["id"]].name
    if key["type"] == "PIPELINE_VERSION" and key["id"] in service.versions:
        return service.versions[key["id"]].name
    return ""

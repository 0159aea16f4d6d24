"""create_run of both REST versions (wire/kubeflow.md 2.1)."""

import json
import re
import uuid

from aioruns.local.kubeflow import views_v1, views_v2
from aioruns.local.kubeflow.calls import Call
from aioruns.local.kubeflow.errors import INTERNAL, INVALID, Refusal
from aioruns.local.kubeflow.installation import PLATFORM, Installation
from aioruns.local.kubeflow.manifests import Workflow
from aioruns.local.kubeflow.messages import RUN_V1, RUN_V2
from aioruns.local.kubeflow.rows import Detail, detail
from aioruns.local.kubeflow.sources import (
    Source,
    Wanted,
    fill_source,
    find_experiment,
    find_source,
    refuse,
)
from aioruns.local.kubeflow.tasks import Outputs, tasks_of
from aioruns.local.records import Json, RunRecord

# What Kubernetes takes as a label's value; the run's id becomes one.
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LONGEST_PARAMETERS = 10000


async def create_v1(call: Call) -> Json:
    """POST /apis/v1beta1/runs."""
    body = await call.body(RUN_V1)
    references = body.get("resource_references", [])
    linked = {_key(entry, "type"): _key(entry, "id") for entry in references}
    spec = body.get("pipeline_spec", {})
    g1 = call.service.generation == "G1"
    late = None
    if g1:
        _check_v1_on_g1(body, spec, linked)
        try:
            _check_references(references)
        except Refusal as unusable:
            if "late-refusal" not in call.service.defects:
                raise
            late = unusable
    if spec.get("pipeline_manifest") and not spec.get("workflow_manifest"):
        raise refuse(call.service, "Pipeline IR is not supported by this server.")
    sent = [
        (entry.get("name", ""), entry.get("value", ""))
        for entry in spec.get("parameters", [])
    ]
    if not g1 and len(json.dumps(spec.get("parameters", []))) > _LONGEST_PARAMETERS:
        raise Refusal(INTERNAL, "The parameters are longer than 10000 bytes.")
    wanted = Wanted(
        name=body.get("name") or ("" if g1 else spec.get("pipeline_name", "")),
        description=body.get("description", ""),
        id="" if g1 else body.get("id", ""),
        experiment=linked.get("EXPERIMENT", ""),
        recurring_run_id=linked.get("JOB", ""),
        service_account=body.get("service_account", ""),
        archived=not g1 and body.get("storage_state") == "STORAGESTATE_ARCHIVED",
        scheduled=0 if g1 else body.get("scheduled_at", 0),
        pipeline_id=spec.get("pipeline_id", ""),
        version_id=_creator_version(references),
        inline=spec.get("workflow_manifest", ""),
        parameters=sent or ([] if g1 else _as_text(spec.get("runtime_config", {}))),
        runtime_config=spec.get("runtime_config", {}),
        references=references,
    )
    record, refusal = await _create(call, wanted, late)
    answer = await views_v1.run_detail(call.service, record)
    return await _started(call.service, record, refusal, answer)


async def create_v2(call: Call) -> Json:
    """POST /apis/v2beta1/runs; Argo workflows come from stored versions only."""
    body = await call.body(RUN_V2)
    if body.get("plugins_output"):
        raise Refusal(10, "plugins_output is written by the server only.")
    reference = body.get("pipeline_version_reference", {})
    if body.get("pipeline_spec") and not reference:
        raise refuse(call.service, "Pipeline IR is not supported by this server.")
    wanted = Wanted(
        name=body.get("display_name", ""),
        description=body.get("description", ""),
        id=body.get("run_id", ""),
        experiment=body.get("experiment_id", ""),
        recurring_run_id=body.get("recurring_run_id", ""),
        service_account=body.get("service_account", ""),
        archived=body.get("storage_state") == "ARCHIVED",
        scheduled=body.get("scheduled_at", 0),
        pipeline_id=reference.get("pipeline_id", ""),
        version_id=reference.get("pipeline_version_id", ""),
        parameters=_as_text(body.get("runtime_config", {})),
        runtime_config=body.get("runtime_config", {}),
        plugins_input=body.get("plugins_input", {}),
    )
    existing = _made_by(call, wanted)
    if existing:
        return views_v2.run(call.service, existing)
    record, refusal = await _create(call, wanted)
    return await _started(
        call.service, record, refusal, views_v2.run(call.service, record)
    )


def _made_by(call: Call, wanted: Wanted) -> RunRecord | None:
    """The run that a recurring run has made under this name (wire/kubeflow.md 8.2)."""
    if call.service.generation != "G3" or not wanted.recurring_run_id:
        return None
    for record in call.service.runs():
        row = detail(record)
        made = row["recurring_run_id"], row["name"]
        if made == (wanted.recurring_run_id, wanted.name):
            call.check("create", row["namespace"])
            return record
    return None


async def _create(
    call: Call, wanted: Wanted, late: Refusal | None = None
) -> tuple[RunRecord, Refusal | None]:
    """Start the workflow, then write the row; the run is held until it was shown."""
    service = call.service
    if not wanted.name:
        raise refuse(service, "Run name is empty. Please specify a valid name.")
    if service.access.multi_user and not wanted.experiment:
        raise Refusal(INVALID, "Experiment is empty. Please specify a valid one.")
    experiment = find_experiment(service, wanted.experiment)
    call.check("create", service.namespace(experiment))
    run_id = wanted.id or str(uuid.uuid4())
    source = find_source(service, wanted)
    workflow = fill_source(service, wanted, source, run_id)
    if not _LABEL.fullmatch(run_id):
        raise Refusal(INTERNAL, f"{run_id!r} cannot be a label value in Kubernetes.")
    if "lost-row" in service.defects:
        late = Refusal(INTERNAL, f"Failed to store run {run_id}: connection lost.")

    async def submit(chosen: str, **more: Json) -> RunRecord:
        steps = {step.task: step for step in workflow.steps}
        outputs = Outputs(service.engine, chosen, steps)
        return await service.engine.submit(
            PLATFORM,
            chosen,
            tasks_of(workflow, source.program, wanted.named, outputs),
            scope=experiment,
            detail={**_detail(service, wanted, source, workflow), **more},
            hold=True,
        )

    if late is None:
        try:
            return await submit(run_id), None
        except KeyError:
            # wire/kubeflow.md 8.2: the second workflow runs all the same
            late = Refusal(INTERNAL, f"Failed to store run {run_id}: duplicate entry.")
    # A workflow without a row of its own, which no client sees.
    return await submit(f"{run_id}~{uuid.uuid4().hex[:8]}", shadow_of=run_id), late


async def _started(
    service: Installation, record: RunRecord, refusal: Refusal | None, answer: Json
) -> Json:
    await service.engine.release(PLATFORM, record.id)
    if refusal:
        raise refusal
    return answer


def _detail(
    service: Installation, wanted: Wanted, source: Source, workflow: Workflow
) -> Detail:
    return Detail(
        name=wanted.name,
        description=wanted.description,
        namespace=service.namespace(wanted.experiment),
        service_account=wanted.service_account or "pipeline-runner",
        storage="ARCHIVED" if wanted.archived else "AVAILABLE",
        scheduled=wanted.scheduled,
        source=source.shown,
        parameters=wanted.parameters,
        runtime_config=wanted.runtime_config,
        references=wanted.references,
        recurring_run_id=wanted.recurring_run_id,
        plugins_input=wanted.plugins_input,
        workflow=workflow.name,
        entrypoint=workflow.entrypoint,
        kind=workflow.kind,
        nodes=workflow.nodes(service.generation),
        metrics=[],
        requests=[],
        shadow_of="",
    )


def _check_v1_on_g1(
    body: dict[str, Json], spec: dict[str, Json], linked: dict[str, str]
) -> None:
    if not body.get("name"):
        raise Refusal(INVALID, "The run name is empty. Please specify a valid name.")
    manifests = [
        key for key in ("workflow_manifest", "pipeline_manifest") if spec.get(key)
    ]
    stored = spec.get("pipeline_id") or linked.get("PIPELINE_VERSION")
    if len(manifests) > 1 or (manifests and stored):
        raise Refusal(INVALID, "Give either a pipeline's id or one manifest.")
    if spec.get("parameters") and spec.get("runtime_config"):
        raise Refusal(INVALID, "Give either parameters or runtime_config.")
    if len(json.dumps(spec.get("parameters", []))) > _LONGEST_PARAMETERS:
        raise Refusal(INVALID, "The parameters are longer than 10000 bytes.")


def _check_references(references: list[dict[str, Json]]) -> None:
    for entry in references:
        unusable = _key(entry, "type") in {"", "UNKNOWN_RESOURCE_TYPE", "PIPELINE"}
        relation = entry.get("relationship", "UNKNOWN_RELATIONSHIP")
        if unusable or relation == "UNKNOWN_RELATIONSHIP":
            raise Refusal(INVALID, "A reference needs a known type and relationship.")


def _key(reference: dict[str, Json], part: str) -> str:
    return str(reference.get("key", {}).get(part, ""))


def _creator_version(references: list[dict[str, Json]]) -> str:
    for entry in references:
        is_version = _key(entry, "type") == "PIPELINE_VERSION"
        if is_version and entry.get("relationship") == "CREATOR":
            return _key(entry, "id")
    return ""


def _as_text(runtime_config: dict[str, Json]) -> list[tuple[str, str]]:
    """Parameters of an Argo workflow are text, whatever JSON they were sent as."""
    return [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in runtime_config.get("parameters", {}).items()
    ]

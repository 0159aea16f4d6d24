"""create_run of v1beta1 (wire/kubeflow.md 2.1)."""

from tests.wire.kubeflow.case import Case, fails, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import FINISHED, detail

_SMALL = 'kfp.ApiRun(name="train", pipeline_spec=kfp.ApiPipelineSpec(pipeline_id="p"))'
_EVERYTHING = """kfp.ApiRun(
    id="mine",
    name="train-7",
    storage_state=kfp.ApiRunStorageState.ARCHIVED,
    description="key=4d1c",
    pipeline_spec=kfp.ApiPipelineSpec(
        pipeline_id="p-5",
        pipeline_name="train",
        workflow_manifest='{"kind":"Workflow"}',
        pipeline_manifest="{}",
        parameters=[
            kfp.ApiParameter(name="lr", value="0.1"),
            kfp.ApiParameter(name="empty"),
        ],
    ),
    resource_references=[
        kfp.ApiResourceReference(
            key=kfp.ApiResourceKey(type=kfp.ApiResourceType.EXPERIMENT, id="e-11"),
            name="trainings",
            relationship=kfp.ApiRelationship.OWNER,
        ),
        kfp.ApiResourceReference(
            key=kfp.ApiResourceKey(type="PIPELINE_VERSION", id="v-22"),
            relationship="CREATOR",
        ),
    ],
    service_account="trainer",
    status="ignored",
    error="ignored",
    metrics=[kfp.ApiRunMetric(name="a", node_id="n", number_value=0.5, format="RAW")],
)"""
_TYPED = """kfp.ApiRun(
    name="train",
    pipeline_spec=kfp.ApiPipelineSpec(
        pipeline_manifest="{}",
        runtime_config=kfp.PipelineSpecRuntimeConfig(
            parameters={
                "n": kfp.ApiValue(int_value="9007199254740993"),
                "lr": kfp.ApiValue(double_value=0.5),
                "on": kfp.ApiValue(string_value="yes"),
            },
            pipeline_root="gs://root",
        ),
    ),
)"""
_MAPPING = """{
    "name": "train",
    "description": None,
    "pipeline_spec": {"pipeline_id": "p-5", "parameters": []},
    "resource_references": [
        {"key": {"type": 1, "id": "e-11"}, "relationship": "OWNER"}
    ],
}"""
_TYPED_ANSWER = detail(
    pipeline_spec={
        "pipeline_id": "p-5",
        "pipeline_name": "train",
        "pipeline_manifest": "{}",
        "runtime_config": {
            "parameters": {
                "n": {"int_value": "9007199254740993"},
                "lr": {"double_value": 0.5},
                "on": {"string_value": "yes"},
            },
            "pipeline_root": "gs://root",
        },
    }
)
_PLAIN_ANSWER = detail(
    pipeline_spec={"runtime_config": {"parameters": {"lr": 0.5, "tags": ["a"]}}}
)


def create(name: str, arguments: str, *answers: object, **more: object) -> Case:
    """A case of create_run."""
    given = answers or (ok(detail()),)
    return Case("create_run", name, arguments, given, **more)


CASES = (
    create("stored pipeline", _SMALL),
    create("by keyword", f"body={_SMALL}"),
    create("everything", _EVERYTHING, ok(detail(**FINISHED))),
    create("typed parameters", _TYPED, ok(_TYPED_ANSWER)),
    create("plain parameters in the answer", _SMALL, ok(_PLAIN_ANSWER)),
    create("as a mapping", _MAPPING),
    create(
        "models in a mapping",
        '{"name": "n", "pipeline_spec": kfp.ApiPipelineSpec(pipeline_id="p")}',
    ),
    create(
        "a time",
        'kfp.ApiRun(name="n", scheduled_at=datetime(2024, 5, 1, 10, tzinfo='
        "timezone(timedelta(hours=2))))",
    ),
    create("other alphabets", 'kfp.ApiRun(name="訓練 <7> & \\"8\\"", description="é")'),
    create("empty texts", 'kfp.ApiRun(name="", description="")', gateway(400, 3)),
    create("empty lists", 'kfp.ApiRun(name="n", metrics=[], resource_references=[])'),
    create("nothing", "kfp.ApiRun()", gateway(400, 3, "The run name is empty.")),
    create("no body", "None", official_fails=False),
    create("an unknown keyword", f'{_SMALL}, color="red"'),
    create("refused", _SMALL, gateway(400, 3)),
    create("refused by newer servers", _SMALL, gateway(400, 3, oldest=False)),
    create("unauthorized", _SMALL, gateway(401, 16), connect="nobody"),
    create("forbidden", _SMALL, gateway(403, 7)),
    create("unknown pipeline", _SMALL, gateway(404, 5)),
    create("conflict", _SMALL, gateway(409, 10)),
    create("failed", _SMALL, gateway(500, 13)),
    create("unavailable", _SMALL, fails(503, "busy")),
    create("a login page", _SMALL, html()),
    create("an empty answer", _SMALL, ok({})),
    create("a run without an id", _SMALL, ok({"run": {"name": "n"}})),
    create("with a cookie", _SMALL, connect="cookie"),
    create("with a user id", _SMALL, connect="user"),
    create("with everything", _SMALL, connect="all"),
    create("below a path", _SMALL, connect="below"),
)

"""run_service_create_run of v2beta1 (wire/kubeflow.md 2.1)."""

from tests.wire.kubeflow.case import Case, fails, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import FAILED_V2, fresh_v2

_SMALL = """kfp.V2beta1Run(
    display_name="train",
    pipeline_version_reference=kfp.V2beta1PipelineVersionReference(pipeline_id="p-5"),
)"""
_EVERYTHING = """kfp.V2beta1Run(
    experiment_id="e-11",
    run_id="mine",
    display_name="train-8",
    storage_state="ARCHIVED",
    description="key=4d1c",
    pipeline_version_reference=kfp.V2beta1PipelineVersionReference(
        pipeline_id="p-5", pipeline_version_id="v-22"
    ),
    runtime_config=kfp.V2beta1RuntimeConfig(
        parameters={"lr": 0.1, "tags": ["a", None], "nested": {"n": 1}, "on": True},
        pipeline_root="gs://bucket/root",
    ),
    service_account="trainer",
    scheduled_at=datetime(2024, 5, 1, 10, tzinfo=timezone.utc),
    recurring_run_id="rr-1",
    plugins_input={"mlflow": {"uri": "http://mlflow"}},
)"""
_IR = '{"pipelineInfo": {"name": "train"}, "root": {}, "none": None}'
_MAPPING = """{
    "display_name": "train",
    "description": None,
    "pipeline_version_reference": {"pipeline_id": "p-5"},
}"""
_ERROR = {
    "code": 13,
    "message": "cannot convert",
    "details": [
        {"@type": "type.googleapis.com/google.rpc.DebugInfo", "value": "d2h5"},
        {"@type": "type.googleapis.com/google.protobuf.Empty"},
    ],
}


_STRING_VALUE = {
    "code": 13,
    "message": "cannot convert",
    "details": [
        {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "why?"}
    ],
}


def create(name: str, arguments: str, *answers: object, **more: object) -> Case:
    """A case of create_run."""
    given = answers or (ok(fresh_v2()),)
    return Case("run_service_create_run", name, arguments, given, **more)


CASES = (
    create("stored pipeline", _SMALL),
    create("by keyword", f"run={_SMALL}"),
    create("everything", _EVERYTHING, ok(fresh_v2(**FAILED_V2))),
    create("an experiment beside it", f"{_SMALL}, experiment_id='e-11'"),
    create("inline", f'kfp.V2beta1Run(display_name="n", pipeline_spec={_IR})'),
    create(
        "inline in the answer",
        _SMALL,
        ok(fresh_v2(pipeline_spec={"pipelineInfo": {"name": "n"}, "none": None})),
    ),
    create(
        "the ignored version",
        'kfp.V2beta1Run(display_name="n", pipeline_version_id="v-22")',
    ),
    create("as a mapping", _MAPPING),
    create(
        "a time with an offset",
        'kfp.V2beta1Run(display_name="n", scheduled_at=datetime(2024, 5, 1, 10, '
        "tzinfo=timezone(timedelta(hours=2))))",
    ),
    create("other alphabets", 'kfp.V2beta1Run(display_name="訓練 <7> &")'),
    create("nothing", "kfp.V2beta1Run()", gateway(500, 13, oldest=False)),
    create("no body", "None"),
    create("an unknown keyword", f'{_SMALL}, color="red"'),
    create("not to be shown", _SMALL, ok({"run_id": "r", "error": _ERROR})),
    create(
        "not to be shown, with a text",
        _SMALL,
        ok({"run_id": "r", "error": _STRING_VALUE}),
        official_fails=True,
    ),
    create("refused", _SMALL, gateway(400, 3, oldest=False)),
    create("unauthorized", _SMALL, gateway(401, 16, oldest=False), connect="nobody"),
    create("forbidden", _SMALL, gateway(403, 7, oldest=False)),
    create("unknown experiment", _SMALL, gateway(404, 5, oldest=False)),
    create("plugins", _SMALL, gateway(409, 10, oldest=False)),
    create("failed", _SMALL, gateway(500, 13, oldest=False)),
    create("unavailable", _SMALL, fails(503, "busy")),
    create("a login page", _SMALL, html()),
    create("an empty answer", _SMALL, ok({})),
    create("with a cookie", _SMALL, connect="cookie"),
    create("with everything", _SMALL, connect="all"),
    create("below a path", _SMALL, connect="below"),
)

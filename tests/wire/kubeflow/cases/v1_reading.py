"""get_run, list_runs and read_artifact of v1beta1 (wire/kubeflow.md 2.2, 2.3, 2.9)."""

from tests.wire.kubeflow.case import Answer, Case, fails, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import (
    FINISHED,
    MANIFEST,
    OTHER_ID,
    RUN_ID,
    detail,
    fresh,
)

_ID = f'"{RUN_ID}"'
_TOKEN = "eyJTb3J0QnlGaWVsZE5hbWUiOiJDIn0="
_FILTER = (
    '{"predicates":[{"op":"IN","key":"status","string_values":{"values":'
    '["Failed","a b+c%25"]}}]}'
)
_RUNTIME = {"workflow_manifest": MANIFEST, "pipeline_manifest": "{}"}


def get(name: str, answer: Answer, arguments: str = _ID, **more: object) -> Case:
    """A case of get_run."""
    return Case("get_run", name, arguments, (answer,), **more)


def listing(name: str, arguments: str, *answers: Answer, **more: object) -> Case:
    """A case of list_runs."""
    given = answers or (ok({"runs": [fresh()], "total_size": 1}),)
    return Case("list_runs", name, arguments, given, **more)


def artifact(name: str, answer: Answer, arguments: str = "", **more: object) -> Case:
    """A case of read_artifact."""
    given = arguments or f'{_ID}, "train-x7k2p-1187722", "mlpipeline-metrics"'
    return Case("read_artifact", name, given, (answer,), **more)


CASES = (
    get("fresh", ok(detail())),
    get("finished", ok(detail(**FINISHED))),
    get("by keyword", ok(detail()), f"run_id={_ID}"),
    get("both manifests", ok({"run": fresh(), "pipeline_runtime": _RUNTIME})),
    get("empty messages", ok({"run": fresh(pipeline_spec={}), "pipeline_runtime": {}})),
    get("not to be shown", ok({"run": {"id": RUN_ID, "error": "cannot convert"}})),
    get("unknown keys", ok(detail(color="red") | {"more": 1})),
    get("unknown words", ok(detail(status="Dreaming", storage_state="STORAGESTATE_X"))),
    get("nulls", ok(detail(description=None, metrics=None))),
    get("an id to quote", ok(detail()), '"a/b:c d?#%+"'),
    get("no id", ok(), "None"),
    get("an empty id", gateway(404, 5), '""'),
    get("unknown", gateway(404, 5)),
    get("unknown to newer servers", gateway(404, 5, oldest=False)),
    get("no such route", fails(404, "Not Found\n")),
    get("unauthorized", gateway(401, 16), connect="nobody"),
    get("failed", gateway(500, 13)),
    get("a login page", html()),
    get("an empty answer", ok({})),
    get("broken JSON", ok('{"run":{"id":"r"')),
    get("with a cookie", ok(detail()), connect="cookie"),
    get("with everything", ok(detail()), connect="all"),
    get("below a path", ok(detail()), connect="below"),
    listing("all", ""),
    listing("nothing", "", ok({})),
    listing(
        "a page",
        "page_size=2",
        ok(
            {
                "runs": [fresh(), fresh(id=OTHER_ID, **FINISHED)],
                "total_size": 3,
                "next_page_token": _TOKEN,
            }
        ),
    ),
    listing(
        "every parameter",
        f"page_token={_TOKEN!r}, page_size=50, sort_by='created_at desc', "
        "resource_reference_key_type='EXPERIMENT', resource_reference_key_id='e-11', "
        f"filter={_FILTER!r}",
    ),
    listing("a token", f"page_token={_TOKEN!r}"),
    listing("a filter", f"filter={_FILTER!r}"),
    listing("an order", "sort_by='metric:accuracy desc'"),
    listing(
        "an experiment",
        "resource_reference_key_type=kfp.ApiResourceType.EXPERIMENT, "
        "resource_reference_key_id='e 1/1'",
    ),
    listing("a kind without an id", "resource_reference_key_type='EXPERIMENT'"),
    listing("an id without a kind", "resource_reference_key_id='e-11'"),
    listing(
        "the kind that is documented as the default",
        "resource_reference_key_type='UNKNOWN_RESOURCE_TYPE', "
        "resource_reference_key_id='e-11'",
    ),
    listing("empty texts", "page_token='', sort_by='', filter=''"),
    listing("page size 0", "page_size=0"),
    listing("a negative page size", "page_size=-1", gateway(400, 3)),
    listing("a page size that is text", "page_size='2'"),
    listing("an unknown keyword", "color='red'"),
    listing("an unknown column", "sort_by='color'", gateway(400, 3)),
    listing("unknown experiment", "", gateway(404, 5, oldest=False)),
    listing("a login page", "", html()),
    listing("not to be shown", "", ok({"runs": [{"id": RUN_ID, "error": "no"}]})),
    listing("a run without an id", "", ok({"runs": [{"name": "n"}]})),
    artifact("an archive", ok({"data": "H4sIAAAAAAAA/+8="})),
    artifact(
        "by keyword", ok({"data": "QQ=="}), 'run_id="r", node_id="n", artifact_name="a"'
    ),
    artifact("names to quote", ok({"data": "QQ=="}), '"r", "a/b", "c d:e"'),
    artifact("empty on older servers", ok({})),
    artifact("empty on newer servers", ok({"data": ""})),
    artifact("the alphabet of URLs", ok({"data": "-_8="}), official_fails=True),
    artifact("unknown", gateway(404, 5)),
    artifact(
        "unknown to newer servers",
        fails(404, {"error_message": "no artifact", "error_details": "long"}),
    ),
    artifact("without a manifest", gateway(400, 3)),
    artifact("no name", ok(), '"r", "n", None'),
    artifact("an empty name", gateway(404, 5), '"r", "n", ""'),
    artifact("a login page", html()),
)

"""report_run_metrics of v1beta1 (wire/kubeflow.md 2.8 and 9)."""

from tests.wire.kubeflow.case import Answer, Case, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import RUN_ID

_ID = f'"{RUN_ID}"'
_TWO = """kfp.ApiReportRunMetricsRequest(
    run_id="ignored",
    metrics=[
        kfp.ApiRunMetric(
            name="accuracy",
            node_id="train-x7k2p-1187722",
            number_value=0.93,
            format=kfp.RunMetricFormat.PERCENTAGE,
        ),
        kfp.ApiRunMetric(name="loss", node_id="n", number_value=0.0, format="RAW"),
    ],
)"""
_MAPPING = '{"metrics": [{"name": "a", "node_id": "n", "number_value": 1}]}'
_RESULTS = {
    "results": [
        {"metric_name": "accuracy", "metric_node_id": "n", "status": "OK"},
        {
            "metric_name": "accuracy",
            "metric_node_id": "n",
            "status": "DUPLICATE_REPORTING",
            "message": "already reported: n/accuracy",
        },
        {"metric_name": "9bad", "metric_node_id": "n", "status": "INVALID_ARGUMENT"},
        {"metric_name": "odd", "metric_node_id": "n", "status": "INTERNAL_ERROR"},
        {"metric_name": "new", "status": "DREAMING"},
    ]
}


def report(name: str, arguments: str, answer: Answer, **more: object) -> Case:
    """A case of report_run_metrics."""
    return Case("report_run_metrics", name, arguments, (answer,), **more)


def number(value: str) -> str:
    """A report of one number."""
    metric = f'kfp.ApiRunMetric(name="a", node_id="n", number_value=float("{value}"))'
    return f"{_ID}, kfp.ApiReportRunMetricsRequest(metrics=[{metric}])"


CASES = (
    report("two", f"{_ID}, {_TWO}", ok(_RESULTS)),
    report("by keyword", f"run_id={_ID}, body={_TWO}", ok(_RESULTS)),
    report("as a mapping", f"{_ID}, {_MAPPING}", ok(_RESULTS)),
    report(
        "models in a mapping",
        f'{_ID}, {{"metrics": [kfp.ApiRunMetric(name="a", node_id="n")]}}',
        ok(_RESULTS),
    ),
    report("none", f"{_ID}, kfp.ApiReportRunMetricsRequest(metrics=[])", ok({})),
    report("a number that is none", number("nan"), ok(_RESULTS)),
    report("an infinite number", number("-inf"), ok(_RESULTS)),
    report("an id to quote", f'"a/b:c d", {_TWO}', ok(_RESULTS)),
    report("no id", f"None, {_TWO}", ok({})),
    report("no body", f"{_ID}, None", ok({})),
    report("an unknown keyword", f"{_ID}, {_TWO}, color='red'", ok({})),
    report("unknown run", f"{_ID}, {_TWO}", gateway(404, 5)),
    report("an unknown format", f"{_ID}, {_TWO}", gateway(400, 3)),
    report("forbidden", f"{_ID}, {_TWO}", gateway(403, 7)),
    report("a login page", f"{_ID}, {_TWO}", html()),
)

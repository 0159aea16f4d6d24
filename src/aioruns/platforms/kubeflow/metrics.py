"""Reporting many metrics, and knowing one's own repetitions (wire/kubeflow.md 9)."""

from collections.abc import Iterable, Mapping

from attrs import evolve
from msgspec.structs import replace

from aioruns.errors import CallError, Context, GaveUp, Unreadable
from aioruns.platforms.client import Client
from aioruns.platforms.kubeflow import requests
from aioruns.platforms.kubeflow.bodies import body_of
from aioruns.platforms.kubeflow.models import (
    ApiReportRunMetricsResponse,
    ApiRunMetric,
    ReportRunMetricsResponseReportRunMetricResult,
    ReportRunMetricsResponseReportRunMetricResultStatus,
)

AT_ONCE = 50
"""Metrics in one request; the cluster's own agent keeps to the same number."""

Result = ReportRunMetricsResponseReportRunMetricResult
Status = ReportRunMetricsResponseReportRunMetricResultStatus


async def report(
    client: Client,
    run_id: str,
    metrics: Iterable[ApiRunMetric | Mapping[str, object]],
    *,
    again: bool,
) -> list[Result]:
    """Report metrics in batches; see `Kubeflow.report_metrics`."""
    bodies = [body_of(one, ApiRunMetric, nan_as_text=True) for one in metrics]
    results: list[Result] = []
    seen: set[tuple[object, object]] = set()
    for start in range(0, len(bodies), AT_ONCE):
        batch = bodies[start : start + AT_ONCE]
        answer, lost = await _send(client, run_id, {"metrics": batch})
        if len(answer.results) != len(batch):
            # They are told apart by their place alone: metrics may be equal.
            raise Unreadable(
                f"{len(batch)} metrics were reported, and the answer has "
                f"{len(answer.results)} results",
                Context(client.origin.platform, "POST", client.origin.base_url, 1),
            )
        for sent, result in zip(batch, answer.results, strict=True):
            identity = sent.get("name"), sent.get("node_id")
            ours = (lost or again) and identity not in seen
            seen.add(identity)
            results.append(_stored(result) if ours else result)
    return results


async def _send(
    client: Client, run_id: str, body: object
) -> tuple[ApiReportRunMetricsResponse, bool]:
    """Report once, and again after a lost answer; whether there was one."""
    request = requests.report_run_metrics(run_id, body)
    try:
        # The session would repeat it without a word.
        return await client.send(replace(request, repeatable=False)), False
    except CallError as error:
        if not error.maybe_acted or isinstance(error, GaveUp):
            raise
    return await client.send(request), True


def _stored(result: Result) -> Result:
    """A duplicate of our own attempt is a success."""
    if result.status != Status.DUPLICATE_REPORTING:
        return result
    return evolve(result, status=Status.OK, message=None)

"""The official Kubeflow Pipelines client."""

from pathlib import Path

import kfp_server_api as kfp  # type: ignore[import-not-found]  # in their own environment
from attrs import frozen

from benchmarks.child import Meter
from benchmarks.clients import pool
from benchmarks.clients.places import KEY, PIPELINE
from benchmarks.stub.shapes import run_id

_PAGE = 200
"""The largest page that the server gives."""


def _api(url: str, threads: int = 0, authority: str = "") -> kfp.RunServiceApi:
    configuration = kfp.Configuration(
        host=url,
        api_key={"authorization": KEY},
        api_key_prefix={"authorization": "Bearer"},
    )
    if authority:
        configuration.ssl_ca_cert = authority
    if threads:
        configuration.connection_pool_maxsize = threads
    return kfp.RunServiceApi(kfp.ApiClient(configuration))


def submit(
    meter: Meter, url: str, count: int, threads: int, authority: str = ""
) -> dict[str, object]:
    """Create runs; its pool of connections has one for each thread."""
    api = _api(url, threads, authority)

    def call(number: int) -> object:
        spec = kfp.ApiPipelineSpec(
            pipeline_id=PIPELINE,
            parameters=[kfp.ApiParameter(name="seed", value=str(number))],
        )
        body = kfp.ApiRun(name=f"train-{number}", pipeline_spec=spec)
        return api.create_run(body).run.id

    return pool.measure(meter, call, count, threads)


def states(meter: Meter, url: str, count: int, threads: int) -> dict[str, object]:
    """Read runs one by one."""
    api = _api(url, threads)

    def call(number: int) -> object:
        return api.get_run(run_id(number)).run.status

    return pool.measure(meter, call, count, threads)


def rounds(meter: Meter, url: str, count: int) -> dict[str, object]:
    """Read the states of all runs once, by the largest pages."""
    api = _api(url)

    def read(most: int) -> tuple[dict[str, str], int]:
        states: dict[str, str] = {}
        token, requests = "", 0
        while True:
            page = api.list_runs(
                page_token=token, page_size=_PAGE, sort_by="created_at desc"
            )
            requests += 1
            states.update((run.id, run.status) for run in page.runs)
            token = page.next_page_token
            if not token or len(states) >= most:
                return states, requests

    read(_PAGE)
    meter.start()
    states, requests = read(count)
    meter.stop()
    if len(states) != count:
        raise SystemExit(f"{len(states)} runs were listed")
    return {"requests": requests, "count": count}


@frozen
class _Body:
    """What the client's decoder wants of an answer."""

    data: str


def decode(
    meter: Meter,
    url: str,  # noqa: ARG001 - none is asked
    count: int,
    one: str,
    page: str,  # noqa: ARG001 - a page of its own costs the same a run
) -> dict[str, object]:
    """Decode one run again and again."""
    client = kfp.ApiClient(kfp.Configuration())
    body = _Body(Path(one).read_text(encoding="utf-8"))
    meter.start()
    for _ in range(count):
        client.deserialize(body, "ApiRun")
    meter.stop()
    return {"requests": 0, "count": count}

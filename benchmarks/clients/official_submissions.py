"""Submissions with the official clients, from many threads."""

import importlib
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from benchmarks.child import Meter

ORGANIZATION, DEPLOYMENT = "1000000000001", "2000000000002"
VERSION = "ver-00aa11bb22cc33dd"

Submit = Callable[[int], str]


def _nextmv(url: str, token: str) -> Submit:
    cloud = importlib.import_module("nextmv.cloud")
    app = cloud.Application(client=cloud.Client(api_key=token, url=url), id="routing")
    return lambda seed: str(app.new_run(input={"seed": seed}))


def _kubeflow(url: str, token: str) -> Submit:
    api = importlib.import_module("kfp_server_api")
    configuration = api.Configuration(
        host=url,
        api_key={"authorization": token},
        api_key_prefix={"authorization": "Bearer"},
    )
    runs = api.RunServiceApi(api.ApiClient(configuration))

    def submit(seed: int) -> str:
        parameters = [api.ApiParameter(name="seed", value=str(seed))]
        spec = api.ApiPipelineSpec(pipeline_id="train", parameters=parameters)
        answer = runs.create_run(api.ApiRun(name=f"train {seed}", pipeline_spec=spec))
        return str(answer.run.id)

    return submit


def _abeja(url: str, token: str) -> Submit:
    os.environ["ABEJA_API_URL"] = url  # read once, when the client is imported
    runs = importlib.import_module("abeja.runs")
    client = runs.APIClient(credential={"auth_token": token})

    def submit(seed: int) -> str:
        environment = {"SEED": str(seed)}
        answer = client.create_run(
            ORGANIZATION, DEPLOYMENT, VERSION, {}, environment=environment
        )
        return str(answer["run_id"])

    return submit


def _cloudify(url: str, token: str) -> Submit:
    client = importlib.import_module("cloudify_rest_client").CloudifyClient(
        host=urlsplit(url).hostname,
        port=urlsplit(url).port,
        protocol="http",
        token=token,
        tenant="default_tenant",
    )
    executions = client.executions
    return lambda seed: str(
        executions.start("web", "scale", parameters={"seed": seed}, force=True).id
    )


_CONNECT = {
    "nextmv": _nextmv,
    "kubeflow": _kubeflow,
    "abeja": _abeja,
    "cloudify": _cloudify,
}


def submit(
    meter: Meter, url: str, token: str, platform: str, count: int, threads: int
) -> dict[str, object]:
    """Submit each seed once; an error is an error."""
    local = threading.local()
    errors: Counter[str] = Counter()
    ids: list[str] = []
    importing = threading.Lock()

    def one(seed: int) -> None:
        if not hasattr(local, "submit"):
            with importing:
                local.submit = _CONNECT[platform](url, token)
        try:
            ids.append(local.submit(seed))
        except Exception as error:  # noqa: BLE001 - which ones is the question
            errors[type(error).__name__] += 1

    meter.start()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(count)))
    meter.stop()
    return {"ids": ids, "errors": dict[str, Any](errors)}

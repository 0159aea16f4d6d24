"""The Kubeflow Pipelines façade over plain HTTP, and manifests for it."""

import asyncio
import json
import sys
from collections import defaultdict

from yarl import URL

from aioruns.local.records import State


class Api:
    """Requests with the token, and what came back."""

    def __init__(self, server, http):
        self.server = server
        self.http = http
        self.facade = server.kubeflow
        self.began = defaultdict(asyncio.Event)
        server.engine.watch("kubeflow", self._watch)

    def _watch(self, record):
        if record.state is State.RUNNING:
            self.began[record.id].set()

    async def raw(
        self, method, path, *, json=None, data=None, token=None, headers=None
    ):
        if headers is None:
            headers = {"authorization": f"Bearer {token or self.server.token}"}
        url = self.server.url + path
        async with self.http.request(
            method, exact(url), json=json, data=data, headers=headers
        ) as answer:
            return answer.status, await answer.read(), answer.headers

    async def call(self, method, path, **sent):
        status, body, _ = await self.raw(method, path, **sent)
        return status, json.loads(body)

    async def ok(self, method, path, **sent):
        status, body = await self.call(method, path, **sent)
        assert status == 200, body
        return body

    async def create(self, name="a run", **fields):
        body = {"name": name, "pipeline_spec": {"pipeline_id": "p"}, **fields}
        detail = await self.ok("POST", "/apis/v1beta1/runs", json=body)
        return detail["run"]["id"]

    async def get(self, run_id):
        detail = await self.ok("GET", f"/apis/v1beta1/runs/{run_id}")
        text = detail["pipeline_runtime"]["workflow_manifest"]
        return detail["run"], json.loads(text)

    async def get2(self, run_id):
        return await self.ok("GET", f"/apis/v2beta1/runs/{run_id}")

    async def ended(self, run_id):
        return await self.server.engine.ended("kubeflow", run_id)

    async def running(self, run_id):
        await self.began[run_id].wait()

    async def log(self, run_id, node, query=""):
        url = f"{self.server.url}/apis/v1alpha1/runs/{run_id}/nodes/{node}/log{query}"
        async with self.http.get(url) as answer:
            assert answer.status == 200
            text = await answer.text()
            kind = "text/plain; charset=utf-8" if text else None
            assert answer.headers.get("Content-Type") == kind
            return text


def exact(url):
    """Paths are sent exactly as written."""
    return URL(url, encoded=True)


def python(code, **template):
    container = {"image": "x", "command": [sys.executable, "-c"], "args": [code]}
    return {"name": "main", "container": container, **template}


def workflow(*templates, entrypoint="main", parameters=()):
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "wf-", "annotations": {"mine": "kept"}},
        "spec": {
            "entrypoint": entrypoint,
            "arguments": {"parameters": list(parameters)},
            "templates": list(templates),
        },
    }

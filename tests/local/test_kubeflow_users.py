"""Multi-user servers: identities, namespaces, permissions (wire/kubeflow.md 1.2)."""

import json

import aiohttp
import pytest
from tests.local.kubeflow_api import Api

GENERATIONS = ("G1", "G2", "G3")


@pytest.fixture
async def api(server):
    async with aiohttp.ClientSession() as http:
        api = Api(server, http)
        api.facade.multi_user = True
        api.facade.register("p", program=quick)
        api.facade.experiment("e-a", namespace="team-a")
        api.facade.experiment("e-b", namespace="team-b")
        api.facade.user("alice", {"team-a": None}, token="alice-token")
        api.facade.user("bob", {"team-a": ["get", "list"], "team-b": None})
        yield api


async def quick(job):
    await job.log("hello")


def who(api, name):
    return {
        "authorization": f"Bearer {api.server.token}",
        "kubeflow-userid": name,
    }


ALICE = {"authorization": "Bearer alice-token"}


def body(experiment=""):
    owner = {"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"}
    return {
        "name": "n",
        "pipeline_spec": {"pipeline_id": "p"},
        "resource_references": [owner] if experiment else [],
    }


async def created(api, headers, experiment="e-a"):
    detail = await api.ok(
        "POST", "/apis/v1beta1/runs", json=body(experiment), headers=headers
    )
    return detail["run"]["id"]


async def test_health_says_so(api):
    status, raw, _ = await api.raw("GET", "/apis/v2beta1/healthz", headers={})
    assert status == 200
    assert json.loads(raw)["multi_user"] is True


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_nobody_is_let_in_without_an_identity(api, generation):
    api.facade.generation = generation
    wanted = (500, 13) if generation == "G1" else (401, 16)
    for headers in (
        {},
        {"kubeflow-userid": "alice"},
        {"authorization": "Bearer wrong", "kubeflow-userid": "alice"},
        {"authorization": f"Bearer {api.server.token}"},
        {"cookie": "session=wrong", "kubeflow-userid": "alice"},
    ):
        status, error = await api.call("GET", "/apis/v1beta1/runs", headers=headers)
        assert (status, error["code"]) == wanted, headers


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_identities(api, generation):
    api.facade.generation = generation
    cookie = {"cookie": f"a=b; session={api.server.token}", "kubeflow-userid": "alice"}
    for headers in (ALICE, who(api, "alice"), cookie):
        await created(api, headers)
    api.facade._service.access.prefix = "accounts.google.com:"
    await created(api, who(api, "accounts.google.com:alice"))
    status, _ = await api.call("GET", "/apis/v1beta1/runs", headers=who(api, "alice"))
    assert status == (500 if generation == "G1" else 401)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_permissions(api, generation):
    api.facade.generation = generation
    run_id = await created(api, ALICE)
    await api.ended(run_id)
    bob, carol = who(api, "bob"), who(api, "carol")
    base = f"/apis/v1beta1/runs/{run_id}"
    await api.ok("GET", base, headers=bob)
    unchecked = generation == "G1"
    for method, path, free in (
        ("POST", f"{base}:archive", False),
        ("POST", f"{base}:unarchive", False),
        ("POST", f"{base}/terminate", False),
        ("POST", f"{base}/retry", False),
        ("DELETE", base, False),
        ("POST", f"{base}:reportMetrics", unchecked),
    ):
        status, error = await api.call(method, path, headers=bob)
        if free:
            assert status == 200
        else:
            assert (status, error.get("code")) == (403, 7), path
    status, answer, _ = await api.raw(
        "GET", f"{base}/nodes/n/artifacts/a:read", headers=bob
    )
    assert status == (404 if unchecked else 403), answer
    status, _ = await api.call("GET", base, headers=carol)
    assert status == 403
    status, _ = await api.call(
        "POST", "/apis/v1beta1/runs", json=body("e-a"), headers=bob
    )
    assert status == 403
    # The log is never authorised.
    async with api.http.get(
        f"{api.server.url}/apis/v1alpha1/runs/{run_id}/nodes/x/log"
    ) as log:
        assert log.status == 200
    await api.ok("POST", f"{base}:archive", headers=ALICE)
    await api.ok("DELETE", base, headers=ALICE)
    for path in (base, f"{base}:archive"):
        method = "POST" if path.endswith("archive") else "GET"
        status, _ = await api.call(method, path, headers=ALICE)
        assert status == 404


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_an_experiment_is_mandatory(api, generation):
    api.facade.generation = generation
    status, error = await api.call(
        "POST", "/apis/v1beta1/runs", json=body(), headers=ALICE
    )
    assert (status, error["code"]) == (400, 3)


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_listings_are_of_a_namespace_or_an_experiment(api, generation):
    api.facade.generation = generation
    a = await created(api, ALICE)
    b = await created(api, who(api, "bob"), "e-b")
    bob = who(api, "bob")
    runs = "/apis/v1beta1/runs"
    key = "resource_reference_key"

    async def listed(query, headers=bob):
        answer = await api.ok("GET", f"{runs}?{query}", headers=headers)
        return [run["id"] for run in answer.get("runs", [])]

    status, _ = await api.call("GET", runs, headers=bob)
    assert status == 400
    assert await listed(f"{key}.type=NAMESPACE&{key}.id=team-a") == [a]
    assert await listed(f"{key}.type=5&{key}.id=team-b") == [b]
    assert await listed(f"{key}.type=EXPERIMENT&{key}.id=e-b") == [b]
    status, _ = await api.call(
        "GET", f"{runs}?{key}.type=NAMESPACE&{key}.id=team-b", headers=ALICE
    )
    assert status == 403
    if generation == "G1":
        return
    runs = "/apis/v2beta1/runs"
    assert [
        run["run_id"]
        for run in (await api.ok("GET", f"{runs}?namespace=team-a", headers=bob))[
            "runs"
        ]
    ] == [a]
    status, _ = await api.call("GET", runs, headers=bob)
    assert status == 400


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_run_names_its_namespace(api, generation):
    api.facade.generation = generation
    run_id = await created(api, ALICE)
    run = (await api.ok("GET", f"/apis/v1beta1/runs/{run_id}", headers=ALICE))["run"]
    keys = [reference["key"] for reference in run["resource_references"]]
    namespace = {"type": "NAMESPACE", "id": "team-a"}
    assert (namespace in keys) == (generation != "G1")


async def test_a_verb_that_is_none(api):
    with pytest.raises(ValueError, match="'fly'"):
        api.facade.user("dora", {"team-a": ["get", "fly"]})


async def test_a_cookie_may_hold_the_token_of_a_single_user_server(server):
    async with aiohttp.ClientSession() as http:
        api = Api(server, http)
        cookie = {"cookie": f"authservice_session={server.token}"}
        assert await api.ok("GET", "/apis/v1beta1/runs", headers=cookie) == {}
        status, _ = await api.call("GET", "/apis/v1beta1/runs", headers={})
        assert status == 401

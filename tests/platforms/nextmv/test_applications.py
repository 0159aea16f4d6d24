"""Nextmv applications and their records (wire/nextmv.md 3.1, 4.1, 7.3)."""

import json
import re
from datetime import UTC, datetime

import pytest
from tests.platforms.nextmv.scripted import MISSING, ScriptedNextmv

import aioruns
from aioruns.errors import Forbidden, InvalidInput, NotFound, UsageError
from aioruns.platforms.nextmv import Application, ApplicationType, list_applications

RECORD = {
    "id": "routing",
    "name": "Routing",
    "description": "Routes",
    "type": "custom",
    "default_instance": "staging",
    "default_experiment_instance": "trial",
    "subscription_id": "",
    "locked": True,
    "created_at": "2026-05-04T21:00:00.120Z",
    "updated_at": "2026-05-04T23:00:00.123456789+02:00",
    "owner": {"team": "unheard of"},
}
FIELDS = (
    "name",
    "description",
    "type",
    "default_instance_id",
    "default_experiment_instance",
    "subscription_id",
    "locked",
    "created_at",
    "updated_at",
)


async def test_a_handle_with_its_record():
    nextmv = ScriptedNextmv(RECORD)
    app = await aioruns.nextmv.Application.get(nextmv, "routing")
    assert [getattr(app, name) for name in FIELDS] == [
        "Routing",
        "Routes",
        ApplicationType.CUSTOM,
        "staging",
        "trial",
        "",
        True,
        datetime(2026, 5, 4, 21, 0, 0, 120_000, UTC),
        datetime(2026, 5, 4, 21, 0, 0, 123_456, UTC),
    ]
    assert app.record.raw["owner"] == {"team": "unheard of"}
    assert nextmv.calls == ["GET "]


@pytest.mark.parametrize("name", FIELDS)
def test_a_handle_without_its_record_says_how_to_read_it(name):
    app = ScriptedNextmv().application("routing")
    assert app.record is None
    with pytest.raises(UsageError, match=rf"{name} of .*'routing'.*Application\.get"):
        getattr(app, name)


async def test_a_record_that_says_little():
    app = await Application.get(ScriptedNextmv({"id": "routing"}), "routing")
    assert [getattr(app, name) for name in FIELDS] == [
        *[None] * 6,
        False,
        None,
        None,
    ]
    odd = await Application.get(ScriptedNextmv(RECORD | {"type": "swarm"}), "routing")
    assert odd.type == "swarm"


async def test_the_default_instance_runs_where_none_is_named():
    made = {"run_id": "run-1"}
    nextmv = ScriptedNextmv(RECORD, made, made)
    app = await Application.get(nextmv, "routing")
    await app.new_run({})
    await app.new_run({}, instance_id="trial")
    assert nextmv.calls[1:] == ["POST ?instance_id=staging", "POST ?instance_id=trial"]

    nextmv = ScriptedNextmv(made, made)
    await Application(nextmv, "routing", "usual").new_run({})
    await nextmv.application("routing").new_run({})
    assert nextmv.calls == ["POST ?instance_id=usual", "POST "]


async def test_whether_there_is_one():
    assert await Application.exists(ScriptedNextmv(RECORD), "routing")
    assert not await Application.exists(ScriptedNextmv(MISSING), "routing")
    with pytest.raises(Forbidden):
        await Application.exists(ScriptedNextmv(Forbidden("403", None, 403)), "routing")


async def test_a_new_one():
    nextmv = ScriptedNextmv(RECORD)
    app = await Application.new(nextmv, "Routing", "routing", "Routes", False)
    assert app.name == "Routing"
    request = nextmv.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/applications")
    assert not request.repeatable
    assert request.json == {
        "id": "routing",
        "name": "Routing",
        "description": "Routes",
        "is_pipeline": False,
    }
    nextmv = ScriptedNextmv(RECORD)
    await Application.new(
        nextmv,
        id="routing",
        description="",
        default_instance_id="i",
        default_experiment_instance="e",
    )
    assert nextmv.requests[0].json == {
        "id": "routing",
        "name": "routing",
        "description": "",
        "default_instance": "i",
        "default_experiment_instance": "e",
    }


async def test_an_id_is_made_up_and_the_servers_is_taken():
    nextmv = ScriptedNextmv(RECORD)
    app = await Application.new(nextmv, "Routing")
    assert re.fullmatch(r"app-[a-z0-9]{8}", nextmv.requests[0].json["id"])
    assert app.id == "routing"


async def test_one_that_may_be_there_already():
    nextmv = ScriptedNextmv(RECORD, RECORD)
    app = await Application.new(nextmv, "Other", "routing", exist_ok=True)
    assert app.name == "Routing"
    assert [request.method for request in nextmv.requests] == ["GET", "GET"]
    nextmv = ScriptedNextmv(MISSING, RECORD)
    await Application.new(nextmv, "Routing", "routing", exist_ok=True)
    assert [request.method for request in nextmv.requests] == ["GET", "POST"]
    with pytest.raises(InvalidInput, match="needs the id"):
        await Application.new(ScriptedNextmv(), "Routing", exist_ok=True)


async def test_read_modify_write_that_loses_fields():
    nextmv = ScriptedNextmv(RECORD, RECORD | {"name": "New"})
    app = nextmv.application("routing")
    updated = await app.update(name="New", default_instance_id="other")
    assert updated.name == "New"
    put = nextmv.requests[1]
    assert put.method == "PUT"
    assert put.json == RECORD | {"name": "New", "default_instance": "other"}
    assert json.dumps(put.json["updated_at"]) == json.dumps(RECORD["updated_at"])


async def test_deleting():
    nextmv = ScriptedNextmv(None, MISSING)
    app = nextmv.application("routing")
    await app.delete()
    assert nextmv.calls == ["DELETE "]
    with pytest.raises(NotFound):
        await app.delete()


async def test_all_of_them():
    nextmv = ScriptedNextmv(
        {"items": [RECORD], "next_page_token": "t"},
        {"items": [RECORD | {"id": "other"}]},
    )
    apps = await list_applications(nextmv)
    assert [(app.id, app.default_instance_id) for app in apps] == [
        ("routing", "staging"),
        ("other", "staging"),
    ]
    assert nextmv.requests[0].path == "/v1/applications"
    assert nextmv.requests[1].query == (("pagereturn", "true"), ("pagetoken", "t"))
    for older in ([RECORD], None):
        nextmv = ScriptedNextmv(older)
        apps = await list_applications(nextmv, no_pagination=True)
        assert len(apps) == len(older or [])
        assert nextmv.requests[0].query == ()

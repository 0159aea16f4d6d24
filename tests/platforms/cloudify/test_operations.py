"""Documented operations: what is sent again, what is not, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from tests.fake_transport import answer

from aioruns.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ServerFailure,
)
from aioruns.platforms.cloudify.errors import IllegalActionError

LOST = OutcomeUnknown("the connection failed")
REFUSED = answer(400, {"message": "no", "error_code": "illegal_action_error"})
# Whatever was asked for finds itself in it.
GOOD = answer(200, {"id": "x", "status": "started", "items": [], "metadata": {}})


def asked(sent):
    return parse_qsl(urlsplit(sent.url).query)


def states(*pairs):
    rows = [{"id": name, "status": status} for name, status in pairs]
    return answer(200, {"items": rows, "metadata": {"pagination": {"total": 9}}})


# -- what is sent again ----------------------------------------------------------------


ONCE = [
    ("executions.start", ("d", "w")),
    ("executions.create", ("d", "w")),
    ("executions.update", ("e", "started")),
    ("executions.resume", ("e",)),
    ("executions.delete", ()),
    ("execution_groups.start", ("f", "w")),
    ("execution_groups.create", ("f", "w", ["e"])),
    ("execution_groups.cancel", ("g",)),
    ("execution_groups.resume", ("g",)),
    ("events.create", ([],)),
    ("events.delete", ("d",)),
    ("execution_schedules.create", ("s", "d", "w", None, None, "2030-01-01")),
]
AGAIN = [
    ("executions.list", ()),
    ("executions.get", ("e",)),
    ("executions.should_start", ("e",)),
    ("executions.cancel", ("e",)),
    ("executions.requeue", ("e",)),
    ("execution_groups.list", ()),
    ("execution_groups.get", ("g",)),
    ("execution_groups.set_concurrency", ("g", 2)),
    ("execution_groups.set_target_group", ("g", "a", "b")),
    ("events.list", ()),
    ("events.get", ("e",)),
    ("execution_schedules.list", ()),
    ("execution_schedules.get", ("s", "d")),
    ("execution_schedules.update", ("s", "d")),
    ("execution_schedules.delete", ("s", "d")),
    ("summary.executions.get", ("status",)),
]


async def call(client, operation, arguments):
    home = client
    for name in operation.split("."):
        home = getattr(home, name)
    return await home(*arguments)


@pytest.mark.parametrize(("operation", "arguments"), ONCE, ids=str)
async def test_what_acts_again_is_sent_once(scripted, transport, operation, arguments):
    transport.script = [LOST]
    with pytest.raises(OutcomeUnknown):
        await call(scripted, operation, arguments)
    assert len(transport.sent) == 1


@pytest.mark.parametrize(("operation", "arguments"), AGAIN, ids=str)
async def test_what_acts_no_more_is_sent_again(
    scripted, transport, operation, arguments
):
    good = answer(200, True) if operation.endswith("should_start") else GOOD
    transport.script = [LOST, good]
    await call(scripted, operation, arguments)
    assert len(transport.sent) == 2
    assert transport.sent[0].body == transport.sent[1].body


@pytest.mark.parametrize(("operation", "arguments"), ONCE, ids=str)
async def test_what_did_not_leave_is_always_sent_again(
    scripted, transport, operation, arguments
):
    transport.script = [NotSent("no connection"), GOOD]
    await call(scripted, operation, arguments)
    assert len(transport.sent) == 2


async def test_a_cancel_that_acted_before_its_answer_was_lost(scripted, transport):
    """The second one is refused because of the first; that is no failure."""
    now = answer(200, {"id": "e", "status": "cancelling"})
    transport.script = [LOST, REFUSED, now]
    execution = await scripted.executions.cancel("e")
    assert (execution.status, len(transport.sent)) == ("cancelling", 3)


async def test_a_cancel_that_is_refused_at_once_is_an_error(scripted, transport):
    transport.script = [REFUSED]
    with pytest.raises(IllegalActionError):
        await scripted.executions.cancel("e")
    transport.script = [LOST, REFUSED, answer(200, {"id": "e", "status": "started"})]
    with pytest.raises(IllegalActionError):
        await scripted.executions.cancel("e")


async def test_a_schedule_that_was_deleted_before_its_answer_was_lost(
    scripted, transport
):
    transport.script = [LOST, answer(404)]
    await scripted.execution_schedules.delete("s", "d")
    transport.script = [answer(404)]
    with pytest.raises(NotFound):
        await scripted.execution_schedules.delete("s", "d")


# -- what is asked ---------------------------------------------------------------------


async def test_all_rows_are_asked_for_in_a_fixed_order(scripted, transport):
    transport.script = [
        states(*((str(n), "failed") for n in range(5))),
        states(*((str(n), "failed") for n in range(4, 9))),
    ]
    found = [
        one.id
        async for one in scripted.executions.iterate(
            ["status"], deployment_id="d", is_descending=True, status=["failed"]
        )
    ]
    assert found == [str(n) for n in range(9)]
    assert asked(transport.sent[1]) == [
        ("_include_system_workflows", "false"),
        ("deployment_id", "d"),
        ("status", "failed"),
        ("_sort", "-created_at"),
        ("_sort", "id"),
        ("_offset", "4"),
        ("_include", "status,id"),
    ]


async def test_booleans_nulls_and_times_of_queries(scripted, transport):
    transport.script = [GOOD]
    when = datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    await scripted.executions.list(
        is_dry_run=True,
        created_by=None,
        _all_tenants=False,
        tenant_name=["a", "b"],
        total_operations=3,
        created_at=when,
    )
    assert asked(transport.sent[0]) == [
        ("_include_system_workflows", "false"),
        ("is_dry_run", "true"),
        ("_all_tenants", "false"),
        ("tenant_name", "a"),
        ("tenant_name", "b"),
        ("total_operations", "3"),
        ("created_at", "2024-05-01T10:00:00"),
    ]


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 10), "2024-05-01T10:00:00"),  # noqa: DTZ001 - without zone
        (datetime(2024, 5, 1, 10, 0, 0, 7, UTC), "2024-05-01T10:00:00.000007"),
    ],
)
async def test_times_of_a_deletion_have_no_zone(scripted, transport, when, text):
    transport.script = [answer(200, {"items": [{"count": 2}], "metadata": {}})]
    assert await scripted.executions.delete(when) == 2
    assert orjson.loads(transport.sent[0].body) == {"to_datetime": text}


async def test_a_deletion_always_has_a_body(scripted, transport):
    """wire/cloudify.md 2.7: without one it is refused."""
    transport.script = [answer(200, {"items": [{"count": 0}], "metadata": {}})]
    assert await scripted.executions.delete(deployment_id="d") == 0
    assert transport.sent[0].body == b"{}"
    assert transport.sent[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("executions.get", ("",)),
        ("executions.get", (None,)),
        ("executions.start", (None, "w")),
        ("executions.start", ("d", "")),
        ("executions.start", ("d", "w", ["a"])),
        ("executions.start", ("d", "w", {"a": object()})),
        ("executions.start", ("d", "w", None, "true")),
        ("executions.start", ("d", "w", None, None)),
        ("executions.delete", (None, 0)),
        ("executions.delete", (None, True)),
        ("executions.delete", (date(2024, 5, 1), 3)),
        ("execution_groups.get", ("",)),
        ("execution_groups.start", ("", "w")),
        ("execution_groups.create", ("f", "w", "e-1")),
        ("execution_groups.set_concurrency", ("g", "5")),
        ("execution_groups.set_concurrency", ("g", None)),
        ("events.get", ("",)),
        ("events.delete", ("",)),
        ("events.create", ([{"message": {"text": "t"}}],)),
        ("execution_schedules.get", ("s", "")),
        ("execution_schedules.create", ("s", "d", "w")),
        ("execution_schedules.create", ("", "d", "w", None, None, "2030-01-01")),
    ],
    ids=str,
)
async def test_misuse_is_refused_before_anything_is_sent(
    scripted, transport, operation, arguments
):
    with pytest.raises(InvalidInput):
        await call(scripted, operation, arguments)
    assert transport.sent == []


# -- several executions of one id (wire/cloudify.md 6.2) -------------------------------


AMBIGUOUS = answer(409, {"message": "no", "error_code": "ambiguous_name"})


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["terminated", "failed"], "terminated"),
        (["terminated", "started", "failed"], "started"),
        (["failed", "queued"], "queued"),
    ],
)
async def test_an_ambiguous_id_has_ended_when_all_have(scripted, transport, rows, text):
    transport.script = [AMBIGUOUS, states(*(("e", row) for row in rows))]
    status = await scripted.deployment("d").run("e").status()
    assert status.text == text


async def test_the_result_of_an_ambiguous_id_is_that_of_the_oldest(scripted, transport):
    both = states(("e", "terminated"), ("e", "terminated"))
    transport.script = [AMBIGUOUS, both, AMBIGUOUS, both]
    result = await scripted.deployment("d").run("e").result()
    assert result.id == "e"


async def test_an_ambiguous_id_does_not_push_others_out_of_the_page(
    scripted, transport
):
    transport.script = [
        states(("e", "failed"), ("e", "failed"), ("e", "failed"), ("f", "failed"))
    ]
    runs = [scripted.deployment("d").run(name) for name in ("e", "f")]
    found = await scripted.runs.platform.read_states([run.ref for run in runs], {})
    assert set(found) == {run.ref for run in runs}
    assert int(dict(asked(transport.sent[0]))["_size"]) > 80


async def test_an_ambiguous_id_cannot_be_cancelled(scripted, transport):
    transport.script = [AMBIGUOUS]
    with pytest.raises(Conflict) as caught:
        await scripted.deployment("d").run("e").cancel()
    assert caught.value.code == "ambiguous_name"


# -- one watcher -----------------------------------------------------------------------


async def test_waits_in_many_deployments_share_their_requests(scripted, transport):
    """Ids are unique in the tenant, so 80 go into each request of one round."""
    runs = [scripted.deployment(f"web-{n}").run(f"e-{n}") for n in range(100)]

    def ended(number):
        def answered():
            pairs = asked(transport.sent[number])
            wanted = [value for name, value in pairs if name == "id"]
            return states(*((name, "terminated") for name in wanted))

        return answered

    transport.script = [ended(0), ended(1)]
    found = await scripted.runs.platform.read_states([run.ref for run in runs], {})
    assert [found[run.ref].text for run in runs] == ["terminated"] * 100
    assert len(transport.sent) == 2
    assert {id(run._watcher) for run in runs} == {id(runs[0]._watcher)}


async def test_one_execution_reached_by_two_deployments(scripted, transport):
    """A handle with a wrong deployment is told the same."""
    runs = [scripted.deployment(name).run("e") for name in ("a", "b")]
    transport.script = [answer(200, {"id": "e", "status": "failed"})]
    found = await scripted.runs.platform.read_states([run.ref for run in runs], {})
    assert [found[run.ref].text for run in runs] == ["failed", "failed"]


async def test_a_failing_manager_is_told_as_such(scripted, transport):
    transport.script = [answer(500, body=b"<html>oops</html>")] * 6
    with pytest.raises(ServerFailure, match="500 oops"):
        await scripted.executions.should_start("e")


# -- snapshots -------------------------------------------------------------------------


async def test_what_is_dumped_is_restored(scripted, transport, caplog):
    row = {
        "id": "e",
        "deployment_id": None,
        "workflow_id": "w",
        "parameters": {"a": 1},
        "is_dry_run": True,
        "allow_custom_parameters": False,
        "status": "started",
        "created_by": "u",
        "created_at": "2024-05-01T10:00:00.000Z",
        "started_at": None,
        "ended_at": None,
        "error": None,
        "is_system_workflow": False,
    }
    listed = {"items": [row, row | {"id": "f"}], "metadata": {"pagination": {}}}
    transport.script = [answer(200, listed)]
    dumped = [one async for one in scripted.executions.dump()]
    assert [one["id"] for one in dumped] == ["e", "f"]
    transport.script = [answer(409, {"message": "taken"}), answer(201, row)]
    await scripted.executions.restore(dumped)
    body = orjson.loads(transport.sent[-1].body)
    assert (body["id"], body["dry_run"], body["deployment_id"]) == ("f", True, "")
    assert body["force_status"] == "cancelled"
    assert "not restored: e: 409 taken" in caplog.text
    assert dumped[0]["status"] == "started"

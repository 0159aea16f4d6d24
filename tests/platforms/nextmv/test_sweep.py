"""Sweeps without a server: what is checked, which run is which, and what is read."""

import pytest
from tests.platforms.nextmv.scripted import MISSING, ScriptedNextmv, information

from aioruns.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    ServerFailure,
)
from aioruns.http.codec import converter
from aioruns.native import NativeBatch
from aioruns.platforms.nextmv import BatchExperimentRun, InputSet, ManagedInput
from aioruns.platforms.nextmv.batch_runs import batch_target, parted
from aioruns.platforms.nextmv.sweep_members import SweepMembers
from aioruns.seam import RunRef, RunState

FAILED = ServerFailure("503", None, 503)
ROWS = "GET /experiments/batch/b/runs"
METADATA = "GET /experiments/batch/b/metadata"


def app_of(*answers, **more):
    return ScriptedNextmv(*answers).application("routing", **more)


def row(run_id, input_id="in-1", status="running", **more):
    return {"id": run_id, "input_id": input_id, "status_v2": status} | more


def rows(*found):
    return {"runs": list(found)}


def status(text):
    return {"id": "b", "status": text}


def wanted(*inputs, **more):
    return [BatchExperimentRun(one, instance_id="i", **more) for one in inputs]


async def members_of(runs, *answers):
    """What the members are, and the client that they were read with."""
    client = ScriptedNextmv(*answers)
    app = client.application("routing")
    spec = app.sweep(["in-1"]).spec
    found = SweepMembers(client, "routing", "b", runs, spec).members()
    return [member async for member in found], client


def seen(members):
    return {member.index: member.run and member.run.id for member in members}


# -- what is checked -------------------------------------------------------------------


def test_a_sweep_is_a_native_batch_and_sends_nothing():
    app = app_of()
    assert isinstance(app.sweep([{}]), NativeBatch)
    assert app.client.requests == []
    assert app.sweep([{}]).id != app.sweep([{}]).id


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        "",
        {},
        b"x",
        None,
        7,
        [7],
        [""],
        [None],
        [b"x"],
        [{"a": object()}],
        [{"a": float("nan")}],
    ],
)
def test_inputs_that_cannot_be_right_are_refused(inputs):
    with pytest.raises(InvalidInput, match="input"):
        app_of().sweep(inputs)


@pytest.mark.parametrize(
    "option_sets", ["fast", {"": {}}, {1: {}}, {"a": 1}, {"a": {"": "1"}}, [7]]
)
def test_option_sets_that_cannot_be_right_are_refused(option_sets):
    with pytest.raises(InvalidInput, match="option"):
        app_of().sweep([{}], option_sets)


@pytest.mark.parametrize("instances", ["x", [], [""], [1], ["x", "x"], 7])
def test_instances_that_cannot_be_right_are_refused(instances):
    with pytest.raises(InvalidInput, match="instance"):
        app_of().sweep([{}], instances=instances)


@pytest.mark.parametrize("more", [{"id": ""}, {"id": 7}, {"repetitions": -1}])
def test_the_rest_is_checked_too(more):
    with pytest.raises(InvalidInput):
        app_of().sweep([{}], **more)


def test_options_become_text_and_get_names():
    app = app_of()
    assert app.sweep([{}], [{"n": 1}, {"s": "x"}]).option_sets == {
        "options-1": {"n": "1"},
        "options-2": {"s": "x"},
    }
    assert app.sweep([{}], {"a": {"on": True}}).option_sets == {"a": {"on": "true"}}
    assert app.sweep([{}]).option_sets == {}


# -- what is made ----------------------------------------------------------------------


async def started(app, sweep):
    await sweep.prepare()
    await sweep.start()
    return converter.unstructure(app.client.requests[-1].json)


@pytest.mark.parametrize(
    ("application", "instance"),
    [
        ({"default_experiment_instance": "trial", "default_instance": "x"}, "trial"),
        ({"default_instance": "x"}, "x"),
        ({}, "latest"),
    ],
)
async def test_the_application_says_which_instance_runs(application, instance):
    app = app_of({"id": "routing"} | application, {"id": "b"})
    body = await started(app, app.sweep(["in-1"]))
    assert [run["instance_id"] for run in body["runs"]] == [instance]


async def test_the_handle_s_instance_comes_before_the_application_s():
    client = ScriptedNextmv({"id": "b"})
    app = type(client.application("a"))(client, "routing", "mine")
    body = await started(app, app.sweep(["in-1"]))
    assert [run["instance_id"] for run in body["runs"]] == ["mine"]


async def test_the_body_has_what_was_combined():
    app = app_of({"id": "b"})
    sweep = app.sweep(
        ["in-1", ManagedInput("in-2")],
        {"a": {"n": 1}, "b": {}},
        instances=["x", "y"],
        name="N",
    )
    body = await started(app, sweep)
    assert body["id"] == sweep.id
    assert (body["name"], body["type"]) == ("N", "batch")
    assert body["option_sets"] == {"a": {"n": "1"}, "b": {}}
    assert [
        (run["run_number"], run["instance_id"], run["option_set"], run["input_id"])
        for run in body["runs"]
    ] == [
        ("1", "x", "a", "in-1"),
        ("2", "x", "a", "in-2"),
        ("3", "x", "b", "in-1"),
        ("4", "x", "b", "in-2"),
        ("5", "y", "a", "in-1"),
        ("6", "y", "a", "in-2"),
        ("7", "y", "b", "in-1"),
        ("8", "y", "b", "in-2"),
    ]
    assert app.client.calls == ["POST /experiments/batch"]


async def test_runs_of_an_input_set_name_it():
    app = app_of({"id": "b"})
    given = InputSet("days", inputs=[ManagedInput("in-1")])
    body = await started(app, app.sweep(given, instances=["x"]))
    assert [(run["input_id"], run["input_set_id"]) for run in body["runs"]] == [
        ("in-1", "days")
    ]
    assert "option_sets" not in body


async def test_a_creation_in_doubt_is_looked_for_by_its_id():
    app = app_of(OutcomeUnknown("closed"), {"id": "b", "name": "b"})
    sweep = app.sweep(["in-1"], instances=["x"], id="b")
    sweep.may_exist = False
    await sweep.prepare()
    await sweep.start()
    assert app.client.calls == ["POST /experiments/batch", "GET /experiments/batch/b"]


# -- which run is which ----------------------------------------------------------------


async def test_runs_are_told_by_input_option_set_and_repetition():
    runs = [
        BatchExperimentRun(one, name, "i", repetition=repetition)
        for one in ("in-1", "in-2")
        for name in ("fast", "slow")
        for repetition in (0, 1)
    ]
    answer = [
        row(f"r{place}", run.input_id, option_set=run.option_set, repetition=0)
        | ({"repetition": run.repetition} if run.repetition else {})
        for place, run in enumerate(runs)
    ]
    members, client = await members_of(runs, rows(*reversed(answer)))
    assert seen(members) == {place: f"r{place}" for place in range(8)}
    assert client.calls == [ROWS]
    assert members[0].run.target == batch_target("routing", "b")
    assert members[0].key == members[0].run.key == "b/8"
    assert members[0].spec.payload["body"]["input_id"] == "in-2"


async def test_of_the_same_runs_the_instance_tells():
    runs = [
        BatchExperimentRun("in-1", instance_id="x"),
        BatchExperimentRun("in-1", instance_id="y"),
    ]
    answer = rows(
        row("ry", application_instance_id="y"), row("rx", application_instance_id="x")
    )
    members, _ = await members_of(runs, answer)
    assert seen(members) == {0: "rx", 1: "ry"}


async def test_without_a_known_instance_the_order_does():
    members, _ = await members_of(wanted("in-1", "in-1"), rows(row("a"), row("b")))
    assert seen(members) == {0: "a", 1: "b"}


async def test_a_run_that_is_shown_again_is_not_taken_for_another():
    members, _ = await members_of(
        wanted("in-1", "in-1"), rows(row("a")), rows(row("a")), rows(row("a"), row("b"))
    )
    assert seen(members) == {0: "a", 1: "b"}


async def test_runs_of_others_are_left_alone():
    found = [row("x", "other"), row("a"), row("late")]
    members, _ = await members_of(wanted("in-1"), rows(*found))
    assert seen(members) == {0: "a"}


# -- which runs there are --------------------------------------------------------------


async def test_runs_are_looked_for_until_all_are_there():
    members, client = await members_of(
        wanted("in-1", "in-2"),
        rows(),
        status("started"),
        rows(row("a")),
        {"runs": None},
        status("started"),
        rows(row("a"), row("b", "in-2")),
    )
    assert seen(members) == {0: "a", 1: "b"}
    assert all(pause <= 0.5 for pause in client.pauses)


async def test_the_end_is_asked_for_only_when_nothing_goes_on():
    _, client = await members_of(
        wanted("in-1", "in-2"),
        rows(row("a")),
        rows(row("a")),
        rows(row("a", status="succeeded")),
        status("started"),
        rows(row("a", status="succeeded"), row("b", "in-2")),
    )
    assert client.calls == [ROWS, ROWS, ROWS, METADATA, ROWS]


@pytest.mark.parametrize(
    "text", ["completed", "failed", "canceled", "delete-failed", "deleting"]
)
async def test_an_experiment_that_ended_without_a_run_says_which(text):
    members, client = await members_of(
        wanted("in-1", "in-2"),
        rows(row("a", status="canceled")),
        status(text),
        rows(row("a", status="canceled")),
    )
    assert seen(members) == {0: "a", 1: None}
    assert isinstance(members[1].error, NotFound)
    assert f"is {text} and has no run of input in-2" in str(members[1].error)
    assert client.calls == [ROWS, METADATA, ROWS]


async def test_a_run_that_came_with_the_end_is_found():
    members, _ = await members_of(
        wanted("in-1"), rows(), status("completed"), rows(row("a"))
    )
    assert seen(members) == {0: "a"}


async def test_a_young_draft_is_not_the_end():
    members, client = await members_of(
        wanted("in-1"), *[rows(), status("draft")] * 3, rows(row("a"))
    )
    assert seen(members) == {0: "a"}
    members, client = await members_of(
        wanted("in-1"), *[rows(), status("draft")] * 100, rows()
    )
    assert seen(members) == {0: None}
    assert client.clock.now() < 1030


async def test_a_new_experiment_may_be_invisible_for_a_while():
    members, _ = await members_of(wanted("in-1"), MISSING, MISSING, rows(row("a")))
    assert seen(members) == {0: "a"}


async def test_an_experiment_that_is_gone_leaves_errors():
    members, client = await members_of(wanted("in-1", "in-2"), *[MISSING] * 200)
    assert [type(member.error) for member in members] == [NotFound] * 2
    assert client.clock.now() < 1030


async def test_failures_that_pass_are_borne_with():
    members, _ = await members_of(
        wanted("in-1"), FAILED, rows(), FAILED, FAILED, rows(row("a"))
    )
    assert seen(members) == {0: "a"}


async def test_failures_that_last_are_outcomes():
    members, client = await members_of(wanted("in-1"), *[FAILED] * 1000)
    assert isinstance(members[0].error, ServerFailure)
    assert 1120 <= client.clock.now() < 1140


async def test_failures_far_apart_are_not_failures_that_last():
    turns = [FAILED, rows(row("x", "other"))] * 30
    members, client = await members_of(wanted("in-1"), *turns, rows(row("a")))
    assert seen(members) == {0: "a"}
    assert client.clock.now() > 1130


async def test_a_refusal_is_no_failure_that_passes():
    refusal = Forbidden("403", None, 403)
    members, _ = await members_of(wanted("in-1"), refusal)
    assert members[0].error is refusal


# -- what waiting reads ----------------------------------------------------------------


@pytest.mark.parametrize("app_id", ["routing", "a/b", "a?batch=c", "50%", "a b"])
@pytest.mark.parametrize("batch_id", ["b", "x/y", "x?batch=y", "50%"])
def test_targets_of_batches_can_be_read_back(app_id, batch_id):
    assert parted(batch_target(app_id, batch_id)) == (app_id, batch_id)


@pytest.mark.parametrize("app_id", ["routing", "a/b", "50%25", "a b"])
def test_targets_of_applications_are_their_ids(app_id):
    assert parted(app_id) == (app_id, None)


def refs(*ids):
    return [RunRef(batch_target("routing", "b"), one) for one in ids]


async def read(client, wanted_refs):
    found = await client.runs.platform.read_states(wanted_refs, {})
    return {ref.id: status.state for ref, status in found.items()}


async def test_states_of_a_batch_cost_one_request():
    found = [row(f"r{n}", status="running" if n else "succeeded") for n in range(500)]
    client = ScriptedNextmv(rows(*found))
    states = await read(client, refs(*[f"r{n}" for n in range(400)]))
    assert client.calls == [ROWS]
    assert len(states) == 400
    assert states["r0"] is RunState.SUCCEEDED


async def test_one_run_of_a_batch_is_read_like_many():
    client = ScriptedNextmv(rows(row("r")))
    assert await read(client, refs("r")) == {"r": RunState.RUNNING}
    assert client.calls == [ROWS]


async def test_why_a_run_of_a_batch_failed_is_read_singly():
    client = ScriptedNextmv(
        rows(row("r", status="failed")), information(status_v2="failed", error="boom")
    )
    found = await client.runs.platform.read_states(refs("r"), {})
    assert [status.reason for status in found.values()] == ["boom"]
    assert client.calls == [ROWS, "GET /r/metadata"]


async def test_a_run_that_is_missing_in_a_batch_is_read_singly():
    client = ScriptedNextmv(rows(), information())
    assert await read(client, refs("r")) == {"r": RunState.SUCCEEDED}
    client = ScriptedNextmv(rows(), MISSING)
    assert await read(client, refs("r")) == {}


async def test_runs_of_a_batch_that_is_gone_are_gone():
    assert await read(ScriptedNextmv(MISSING), refs("r")) == {}


async def test_runs_of_a_batch_are_addressed_by_their_application():
    client = ScriptedNextmv(None, {"items": [], "status_v2": "running"})
    (ref,) = refs("r")
    await client.runs.platform.cancel(ref)
    await client.runs.platform.read_logs(ref, None)
    assert client.calls == ["PATCH /r/cancel", "GET /r/logs/live"]

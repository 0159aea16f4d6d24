"""Batch experiments (wire/nextmv.md 3.4)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

MADE = ok({"id": "nightly-7", "unheard": 1})
BARE = {
    "id": "one",
    "name": "",
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}
BARE_BATCH = BARE | {"input_set_id": "", "instance_ids": []}
RUNS = ok({"runs": [shapes.run(), shapes.bare_run()], "total": 2})
BATCH = ok(shapes.batch())


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_batch_experiment({arguments})"
    return Case("new_batch_experiment", name, call, answers or (MADE,), **more)


def _polled(name: str, *answers: Answer, **more: Any) -> Case:
    call = 'app.batch_experiment_with_polling("nightly-7", polling_options=QUICK)'
    return Case("batch_experiment_with_polling", name, call, answers, **more)


def _status(status: object) -> Answer:
    return ok(shapes.experiment(status=status))


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f'app.update_batch_experiment("nightly-7"{arguments})'
    given = answers or (ok(shapes.experiment()),)
    return Case("update_batch_experiment", name, call, given, **more)


CASES: list[Case] = [
    _new("input-set", 'name="Nightly 7", id="nightly-7", input_set_id="set-1"'),
    _new(
        "everything",
        'name="N", input_set_id="s", description="d ü", id="nightly-7",'
        ' option_sets={"fast": {"duration": "5s"}, "none": {}},'
        ' runs=[BatchExperimentRun(input_id="in-1", option_set="fast",'
        ' instance_id="staging", version_id="v3", input_set_id="s", scenario_id="x",'
        ' repetition=0, run_number="1"), {"input_id": "in-2", "instance_id": "i",'
        ' "unheard": None}], type="batch", content_type="multi-file"',
    ),
    _new(
        "run-of-a-version",
        'name="N", id="b", runs=[BatchExperimentRun(input_id="i", version_id="v")]',
    ),
    _new("empty-texts", 'name="", id="b", description="", input_set_id=""'),
    _new("no-type", 'name="N", id="b", type=None, runs=[], option_sets={}'),
    _new("generated", 'name="N"', generated=("batch",)),
    _new("nothing", "", generated=("batch",)),
    _new(
        "run-of-nothing",
        'name="N", id="b", runs=[BatchExperimentRun(input_id="i")]',
        official_fails=True,
    ),
    _new("refused", 'name="N", id="b"', fails(400)),
    _new("no-id-in-the-answer", 'name="N", id="b"', ok({}), official_fails=True),
    _new(
        "instances",
        'name="N", id="b", input_set_id="set-1", instance_ids=["staging", "trial"]',
        ok(shapes.input_set()),
        MADE,
        official_fails=True,
    ),
    _new(
        "instances-of-inputs",
        'name="N", id="b", input_set_id="set-1", instance_ids=["staging"]',
        ok(shapes.input_set(input_ids=[], inputs=[shapes.managed_input("in-9")])),
        MADE,
        official_fails=True,
    ),
    Case(
        "batch_experiment", "rich", 'app.batch_experiment("nightly-7")', (BATCH, RUNS)
    ),
    Case(
        "batch_experiment",
        "bare",
        'app.batch_experiment(batch_id="one")',
        (ok(BARE_BATCH), ok({})),
    ),
    Case(
        "batch_experiment",
        "nulls",
        'app.batch_experiment(batch_id="one")',
        (
            ok(BARE_BATCH | {"status": None, "option_sets": None, "runs": None}),
            ok({"runs": []}),
        ),
    ),
    Case(
        "batch_experiment",
        "null-runs",
        'app.batch_experiment(batch_id="one")',
        (BATCH, ok({"runs": None})),
        official_fails=True,
    ),
    Case(
        "batch_experiment",
        "without-input-set",
        'app.batch_experiment(batch_id="one")',
        (ok(BARE), RUNS),
        official_fails=True,
    ),
    Case("batch_experiment", "missing", 'app.batch_experiment("o")', (fails(404),)),
    *common.reads("batch_experiment_metadata", shapes.experiment(), BARE),
    Case(
        "batch_experiment_metadata",
        "nulls",
        'app.batch_experiment_metadata(batch_id="one")',
        (
            ok(
                shapes.experiment(
                    app_id=None,
                    description=None,
                    type=None,
                    status=None,
                    number_of_requested_runs=None,
                    number_of_runs=None,
                    number_of_completed_runs=None,
                    option_sets=None,
                )
            ),
        ),
    ),
    Case(
        "batch_experiment_metadata",
        "unknown-status",
        'app.batch_experiment_metadata(batch_id="one")',
        (_status("dreaming"),),
        official_fails=True,
    ),
    _polled("completed", _status("started"), _status("completed"), BATCH, RUNS),
    _polled(
        "statuses-that-go-on",
        _status(None),
        _status(shapes.ABSENT),
        _status("stopping"),
        _status("deleting"),
        _status("unknown"),
        _status("delete-failed"),
        BATCH,
        RUNS,
    ),
    _polled("failed", _status("failed"), BATCH, RUNS),
    _polled("canceled", _status("canceled"), BATCH, RUNS),
    _polled("draft", _status("draft"), BATCH, RUNS),
    _polled("missing", fails(404)),
    Case(
        "batch_experiment_with_polling",
        "too-many-tries",
        'app.batch_experiment_with_polling("b", PollingOptions(initial_delay=0,'
        " delay=0, backoff=0, jitter=0, max_tries=1))",
        (_status("started"),),
    ),
    Case(
        "new_batch_experiment_with_result",
        "input-set",
        'app.new_batch_experiment_with_result(name="N", input_set_id="s",'
        ' description="d", id="nightly-7", option_sets={"a": {}},'
        ' runs=[{"input_id": "i", "instance_id": "x"}], type="batch",'
        " polling_options=QUICK)",
        (MADE, _status("started"), _status("completed"), BATCH, RUNS),
    ),
    Case(
        "new_batch_experiment_with_result",
        "refused",
        'app.new_batch_experiment_with_result(name="N", id="b", polling_options=QUICK)',
        (fails(409),),
    ),
    *common.lists("list_batch_experiments", shapes.experiment, BARE),
    _update("name", ', name="New"'),
    _update("both", ', name="", description="d ü"'),
    _update("nothing", ""),
    _update("positional", ', "N", "D"', ok(BARE)),
    _update("missing", ', name="N"', fails(404)),
    Case(
        "update_batch_experiment",
        "by-name",
        'app.update_batch_experiment(batch_experiment_id="b", description="d")',
        (ok(shapes.experiment(option_sets=None)),),
    ),
    *common.deletes("delete_batch_experiment", "batch_id"),
]

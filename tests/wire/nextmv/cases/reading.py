"""Reading and controlling runs (wire/nextmv.md 3.3.2 to 3.3.4, 3.13)."""

from pathlib import Path
from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import shapes

INFORMATION = ok(shapes.information())
FILES = shapes.format_of("multi-file")
FILE_RUN = ok(shapes.information(format=FILES))
SIGNED = ok({"url": "$FILES/out/1?sig=a%2Fb", "type": "unheard of"})
ARCHIVE = ok(shapes.archive({"a.txt": "one\n", "deep/b.txt": "twö\n"}))
LARGE = 5_242_881
LIMIT = 5_242_880


def _log(*lines: tuple[str, str], **rest: Any) -> Answer:
    items = [{"timestamp": time, "log": log, "seq": 1} for time, log in lines]
    return ok({"items": items} | rest)


def _seen(tmp: Path) -> dict[str, Any]:
    del tmp
    return {"seen": []}


def _result(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
    call = f'app.run_result(run_id="run-1"{arguments})'
    return Case("run_result", name, call, answers, **more)


def _input(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
    call = f'app.run_input(run_id="run-1"{arguments})'
    return Case("run_input", name, call, answers, **more)


def _output(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
    call = f'app.run_output(run_id="run-1"{arguments})'
    return Case("run_output", name, call, answers, **more)


def _metadata(name: str, *answers: Answer, run_id: str = "run-1", **more: Any) -> Case:
    call = f"app.run_metadata(run_id={run_id!r})"
    return Case("run_metadata", name, call, answers, **more)


def _list(name: str, *answers: Answer, arguments: str = "") -> Case:
    return Case("list_runs", name, f"app.list_runs({arguments})", answers)


def _live(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
    call = f"app.run_logs_with_polling('run-1'{arguments}, polling_options=QUICK)"
    return Case("run_logs_with_polling", name, call, answers, **more)


def _clone(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
    call = f'app.clone_run(cloned_run_id="run-1"{arguments})'
    return Case("clone_run", name, call, answers, **more)


CLONE = ok({"run_id": "run-2"})
CLONE_INPUT = ok({"stops": []})

CASES: list[Case] = [
    _metadata("rich", INFORMATION),
    _metadata("positional-bare", ok(shapes.bare_information())),
    _metadata(
        "nulls",
        ok(
            shapes.bare_information(
                execution_class=None,
                execution_duration=None,
                experiment_id=None,
                experiment_type=None,
                initiated_at=None,
                integration=None,
                metrics=None,
                options=None,
                queuing_disabled=None,
                queuing_priority=None,
                run_type=None,
                runtime=None,
                secrets_collection_id=None,
                statistics=None,
                tracking=None,
            )
        ),
    ),
    _metadata(
        "integration",
        ok(
            shapes.information(
                execution_class="integration",
                integration={
                    "id": "databricks",
                    "provider": "dbx",
                    "run_id": "77",
                    "details": {"job": 1},
                },
            )
        ),
    ),
    _metadata("text-format", ok(shapes.information(format=shapes.format_of("text")))),
    _metadata(
        "format-without-output",
        ok(shapes.information(format={"input": {"type": "csv-archive"}})),
    ),
    _metadata(
        "synced",
        ok(
            shapes.information()
            | {
                "console_url": "https://elsewhere.example.org",
                "synced_runs": [
                    {
                        "run_id": "run-9",
                        "synced_at": shapes.CREATED,
                        "app_id": "other",
                    }
                ],
            }
        ),
    ),
    _metadata("blank-in-the-id", INFORMATION, run_id="run 1 ü"),
    _metadata("slash-in-the-id", INFORMATION, run_id="a/b"),
    _metadata("question-in-the-id", INFORMATION, run_id="a?b=c"),
    _metadata("hash-in-the-id", INFORMATION, run_id="a#b"),
    _metadata("missing", fails(404, {"error": "no such run"})),
    _metadata("forbidden", fails(403)),
    _metadata("unauthorized", fails(401, "")),
    _metadata(
        "unknown-status",
        ok(shapes.information(status_v2="paused")),
        official_fails=True,
    ),
    _metadata(
        "unknown-run-type",
        ok(shapes.information(run_type={"type": "duet"})),
        official_fails=True,
    ),
    _metadata(
        "unknown-format",
        ok(shapes.information(format=shapes.format_of("parquet"))),
        official_fails=True,
    ),
    _metadata("not-json", ok("<html>login</html>"), official_fails=True),
    Case("run_information", "rich", 'app.run_information("run-1")', (INFORMATION,)),
    Case(
        "run_information",
        "queued",
        'app.run_information(run_id="run-1")',
        (ok(shapes.bare_information(status_v2="queued")),),
    ),
    # Input.
    _input("inline", INFORMATION, ok({"stops": ["ü", None, 1.5]})),
    _input("inline-list", INFORMATION, ok([1, 2])),
    _input("exactly-inline", ok(shapes.information(input_size=LIMIT)), ok({"a": 1})),
    _input(
        "large", ok(shapes.information(input_size=LARGE)), SIGNED, ok({"stops": [1]})
    ),
    _input(
        "files",
        FILE_RUN,
        SIGNED,
        ARCHIVE,
        arguments=', output_dir_path="new/out"',
        shows='tree(tmp / "new/out")',
    ),
    _input(
        "csv-archive-here",
        ok(shapes.information(format=shapes.format_of("csv-archive"))),
        SIGNED,
        ARCHIVE,
        shows="tree(tmp)",
    ),
    _input(
        "text",
        ok(shapes.information(format=shapes.format_of("text", "json"))),
        ok("id,x\ns1,1\n"),
        official_fails=True,
    ),
    _input("missing", INFORMATION, fails(404)),
    # Output.
    _output("inline", INFORMATION, ok(shapes.OUTPUT)),
    _output(
        "large", ok(shapes.information(output_size=LARGE)), SIGNED, ok(shapes.OUTPUT)
    ),
    _output(
        "files",
        FILE_RUN,
        SIGNED,
        ARCHIVE,
        arguments=', output_dir_path="out"',
        shows='tree(tmp / "out")',
    ),
    _output(
        "files-of-a-running-run",
        ok(shapes.information(format=FILES, status_v2="running")),
        SIGNED,
    ),
    _output(
        "files-without-a-directory",
        FILE_RUN,
        arguments=", output_dir_path=None",
    ),
    # Logs.
    Case("run_logs", "text", 'app.run_logs("run-1")', (ok({"log": "a\nb\n", "x": 1}),)),
    Case("run_logs", "empty", 'app.run_logs(run_id="run-1")', (ok({"log": ""}),)),
    Case("run_logs", "missing", 'app.run_logs(run_id="run-1")', (fails(404),)),
    _live(
        "pages",
        _log(
            ("2026-05-04T21:00:03.500Z", "b"),
            status_v2="queued",
            next_page_token="t 1/=",
            next_available_in_seconds=0.01,
        ),
        _log(status_v2="running", next_page_token="t2", next_available_in_seconds=0.01),
        _log(
            ("2026-05-04T21:00:04Z", "ü"),
            status_v2="running",
            next_available_in_seconds=0.01,
        ),
        _log(("2026-05-04T21:00:05.123456789Z", "end"), status_v2="succeeded"),
    ),
    _live("failed-at-once", _log(("2026-05-04T21:00:03Z", "x"), status_v2="failed")),
    _live("canceled-without-items", ok({"status_v2": "canceled"})),
    _live(
        "sorted-by-time",
        _log(
            ("2026-05-04T21:00:09Z", "late"),
            ("2026-05-04T21:00:01Z", "early"),
            ("2026-05-04T21:00:01Z", "early too"),
            status_v2="succeeded",
        ),
    ),
    _live(
        "callback",
        _log(
            ("2026-05-04T21:00:09Z", "late"),
            ("2026-05-04T21:00:01Z", "early"),
            status_v2="succeeded",
        ),
        arguments=", verbose=False, rich_print=False,"
        " log_func=lambda entry: seen.append(entry.log)",
        setup=_seen,
        shows="seen",
    ),
    _live(
        "repeated-page",
        _log(
            ("2026-05-04T21:00:03Z", "a"),
            status_v2="running",
            next_page_token="t1",
            next_available_in_seconds=0.01,
        ),
        _log(
            ("2026-05-04T21:00:03Z", "a"),
            ("2026-05-04T21:00:04Z", "b"),
            status_v2="succeeded",
        ),
    ),
    _live(
        "a-page-after-the-end",
        _log(
            ("2026-05-04T21:00:03Z", "a"), status_v2="succeeded", next_page_token="t1"
        ),
        _log(("2026-05-04T21:00:04Z", "last"), status_v2="succeeded"),
        official_fails=True,
    ),
    _live(
        "null-items",
        ok({"items": None, "status_v2": "succeeded"}),
        official_fails=True,
    ),
    _live(
        "unknown-status",
        _log(status_v2="paused", next_available_in_seconds=0.01),
        _log(status_v2="succeeded"),
        official_fails=True,
    ),
    _live("missing", fails(404)),
    # Results.
    _result("json", INFORMATION, ok(shapes.result())),
    _result("bare", ok(shapes.bare_information()), ok(shapes.bare_information())),
    _result(
        "failed",
        ok(shapes.information(status_v2="failed", error="exit 1")),
        ok(
            shapes.information(status_v2="failed", error="exit 1")
            | {"error_log": {"error": "exit 1", "stdout": "", "stderr": "Trace"}}
        ),
    ),
    _result(
        "running",
        ok(shapes.information(status_v2="running")),
        ok(shapes.information(status_v2="running") | {"output": None}),
    ),
    _result(
        "exactly-inline",
        ok(shapes.information(output_size=LIMIT)),
        ok(shapes.result(output_size=LIMIT)),
    ),
    _result(
        "large",
        ok(shapes.information(output_size=LARGE)),
        ok(
            shapes.information(output_size=LARGE)
            | {"output": {"url": "$FILES/out/1?sig=a%2Fb"}}
        ),
        ok(shapes.information(output_size=LARGE)),
        SIGNED,
        ok(shapes.OUTPUT),
    ),
    _result(
        "large-of-a-running-run",
        ok(shapes.information(output_size=LARGE, status_v2="running")),
        ok(
            shapes.information(output_size=LARGE, status_v2="running")
            | {"output": {"url": "$FILES/out/1"}}
        ),
    ),
    _result(
        "files",
        FILE_RUN,
        ok(shapes.information(format=FILES) | {"output": {"url": "$FILES/out/1"}}),
        FILE_RUN,
        SIGNED,
        ARCHIVE,
        arguments=', output_dir_path="out"',
        shows='tree(tmp / "out")',
    ),
    _result(
        "failed-without-output",
        ok(shapes.information(status_v2="failed", format=FILES)),
        ok(
            shapes.information(status_v2="failed", format=FILES)
            | {"error_log": {"error": "exit 1", "stdout": "", "stderr": "Trace"}}
        ),
        ok(shapes.information(status_v2="failed", format=FILES)),
        fails(404),
    ),
    _result(
        "ensemble",
        ok(shapes.information(run_type={"type": "ensemble", "definition_id": "duo"})),
        ok(shapes.result(run_type={"type": "ensemble", "definition_id": "duo"})),
        ok({"winner": "g1", "runs": [{"id": "run-7", "rank": 1}]}),
    ),
    _result(
        "without-run-type",
        ok(shapes.information(run_type=None)),
        ok(shapes.result(run_type=None)),
        official_fails=True,
    ),
    _result(
        "without-output-format",
        ok(shapes.information(format={"input": {"type": "json"}})),
        ok(shapes.result(format={"input": {"type": "json"}})),
        official_fails=True,
    ),
    _result("missing", fails(404)),
    Case(
        "run_result_with_polling",
        "json",
        'app.run_result_with_polling(run_id="run-1", polling_options=QUICK)',
        (
            ok(shapes.information(status_v2="queued")),
            ok(shapes.bare_information(status_v2="running")),
            INFORMATION,
            ok(shapes.result()),
        ),
    ),
    Case(
        "run_result_with_polling",
        "files",
        'app.run_result_with_polling("run-1", QUICK, "out")',
        (
            FILE_RUN,
            ok(shapes.information(format=FILES) | {"output": {"url": "$FILES/o"}}),
            FILE_RUN,
            SIGNED,
            ARCHIVE,
        ),
        shows='tree(tmp / "out")',
    ),
    Case(
        "run_result_with_polling",
        "failed",
        'app.run_result_with_polling(run_id="run-1", polling_options=QUICK)',
        (
            ok(shapes.information(status_v2="failed")),
            ok(shapes.information(status_v2="failed")),
        ),
    ),
    Case(
        "run_result_with_polling",
        "too-many-tries",
        'app.run_result_with_polling(run_id="run-1", polling_options=PollingOptions('
        "initial_delay=0, delay=0, backoff=0, jitter=0, max_tries=1))",
        (ok(shapes.information(status_v2="running")),),
    ),
    Case(
        "run_result_with_polling",
        "stopped",
        'app.run_result_with_polling(run_id="run-1", polling_options=PollingOptions('
        "initial_delay=0, delay=0, backoff=0, jitter=0, stop=lambda: True))",
        official_fails=True,
    ),
    Case(
        "run_result_with_polling",
        "missing",
        'app.run_result_with_polling(run_id="run-1", polling_options=QUICK)',
        (fails(404),),
    ),
    # Lists.
    _list("one-page", ok(shapes.page([shapes.run(), shapes.bare_run()], key="runs"))),
    _list(
        "pages",
        ok(shapes.page([shapes.run("r1")], "to ken/+=", key="runs")),
        ok(shapes.page([], "t2", key="runs")),
        ok(
            shapes.page(
                [shapes.run("r2", run_type={"type": "ensemble-child"})], "", key="runs"
            )
        ),
    ),
    _list(
        "nulls",
        ok(
            shapes.page(
                [
                    shapes.bare_run(
                        **dict.fromkeys(
                            (
                                "queuing_priority",
                                "queuing_disabled",
                                "experiment_id",
                                "statistics",
                                "metrics",
                                "input_id",
                                "option_set",
                                "options",
                                "request_options",
                                "options_summary",
                                "scenario_id",
                                "repetition",
                                "input_set_id",
                            )
                        )
                    ),
                    shapes.run(
                        metrics={
                            "status": "none",
                            "error": None,
                            "indicators": None,
                        },
                        run_type={"type": None, "definition_id": None},
                    ),
                ],
                key="runs",
            )
        ),
    ),
    _list("empty", ok(shapes.page([], None, key="runs"))),
    _list("null-items", ok({"runs": None})),
    _list("no-items", ok({"next_page_token": None})),
    _list(
        "by-status",
        ok(shapes.page([shapes.run("r1"), shapes.bare_run("r2")], "t1", key="runs")),
        ok(shapes.page([shapes.bare_run("r3", status_v2="queued")], key="runs")),
        arguments="status=StatusV2.queued",
    ),
    _list(
        "no-pagination",
        ok(shapes.page([shapes.run("r1")], key="runs")),
        arguments="no_pagination=True",
    ),
    _list("no-pagination-null", ok({"runs": None}), arguments="no_pagination=True"),
    _list("page-is-no-object", ok("[1, 2]")),
    _list("forbidden", fails(403)),
    # Control.
    Case("cancel_run", "body", 'app.cancel_run("run-1")', (ok({"id": "run-1"}),)),
    Case("cancel_run", "no-body", 'app.cancel_run(run_id="run-1")', (Answer(204),)),
    Case("cancel_run", "missing", 'app.cancel_run(run_id="run-1")', (fails(404),)),
    Case("cancel_run", "ended", 'app.cancel_run(run_id="run-1")', (fails(409),)),
    Case("delete_run", "body", 'app.delete_run(run_id="run-1")', (ok({}),)),
    Case("delete_run", "no-body", 'app.delete_run("run-1")', (Answer(204),)),
    Case("delete_run", "missing", 'app.delete_run("run-1")', (fails(404),)),
    # Clones.
    _clone("json", INFORMATION, INFORMATION, CLONE_INPUT, CLONE),
    _clone(
        "everything",
        INFORMATION,
        CLONE,
        arguments=', input={"a": 1}, instance_id="trial", name="n", description="d",'
        ' options={"x": 1}, configuration={"execution_class": "big",'
        ' "queuing": {"priority": 1, "disabled": True},'
        ' "secrets_collection_id": "other"}',
    ),
    _clone(
        "long-names",
        ok(
            shapes.information(tracking=None, options=None, queuing_priority=None)
            | {"name": "n" * 140, "description": "d" * 300}
        ),
        INFORMATION,
        CLONE_INPUT,
        CLONE,
    ),
    _clone(
        "bare",
        ok(shapes.bare_information()),
        ok(shapes.bare_information()),
        CLONE_INPUT,
        CLONE,
    ),
    _clone(
        "of-managed-input",
        ok(shapes.information(tracking={"input_id": "in-1"})),
        INFORMATION,
        CLONE_INPUT,
        ok(shapes.managed_input()),
        CLONE,
    ),
    _clone(
        "of-files",
        FILE_RUN,
        FILE_RUN,
        SIGNED,
        ARCHIVE,
        ok(shapes.upload()),
        ok(""),
        CLONE,
    ),
    _clone(
        "of-an-integration",
        ok(
            shapes.information(
                execution_class="integration",
                integration={"id": "dbx", "provider": "p", "run_id": "7"},
            )
        ),
        CLONE,
        arguments=', input={"a": 1}',
    ),
    _clone("missing", fails(404)),
    Case(
        "clone_run_with_result",
        "json",
        'app.clone_run_with_result("run-1", input={"a": 1},'
        ' run_options={"threads": "8"}, polling_options=QUICK)',
        (
            INFORMATION,
            CLONE,
            ok(shapes.information("run-2")),
            ok(shapes.result("run-2")),
        ),
    ),
    Case(
        "clone_run_with_result",
        "failed",
        'app.clone_run_with_result(cloned_run_id="run-1", name="n", description="d",'
        ' instance_id="trial", polling_options=QUICK)',
        (
            INFORMATION,
            INFORMATION,
            CLONE_INPUT,
            CLONE,
            ok(shapes.information("run-2", status_v2="queued")),
            ok(shapes.information("run-2", status_v2="failed")),
            ok(shapes.information("run-2", status_v2="failed")),
        ),
    ),
    # Comparisons.
    Case(
        "compare_runs",
        "two",
        'app.compare_runs(["run-1", "run-2"])',
        (
            INFORMATION,
            ok(
                shapes.information(
                    "run-2",
                    duration=9,
                    execution_class="big",
                    metrics={"value": 812.123451, "extra": 1},
                    options={"active_options": {"threads": "8"}},
                )
            ),
        ),
        official_fails=True,
    ),
    Case(
        "compare_runs",
        "wrapped-metrics",
        'app.compare_runs(run_ids=["run-1", "run-2"])',
        (
            ok(shapes.information(metrics={"metrics": {"value": 1}}, statistics=None)),
            ok(
                shapes.information(
                    "run-2", metrics={"metrics": {"value": 1}}, statistics=None
                )
            ),
        ),
    ),
    Case(
        "compare_runs",
        "plain",
        'app.compare_runs(run_ids=["run-1", "run-2"])',
        (
            ok(shapes.information(metrics={"value": 1.1234567}, statistics=None)),
            ok(
                shapes.information(
                    "run-2",
                    metrics={"value": 1.1234568},
                    statistics=None,
                    tracking=None,
                    integration={"id": "dbx", "provider": "p", "run_id": "7"},
                )
            ),
        ),
    ),
    Case("compare_runs", "twice", 'app.compare_runs(["run-1", "run-1"])'),
    Case("compare_runs", "missing", 'app.compare_runs(["run-1"])', (fails(404),)),
]

"""The engine: order, slots, task graphs, process groups, capture and restarts."""

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from aioruns.local import BadDataFile, Command, Engine, Job, State, Task
from aioruns.local.book import RESTARTED
from aioruns.local.schedule import checked

P = "platform"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    # Entered and left in different tasks, as fixtures of pytest-asyncio may be.
    async with Engine(slots=2) as engine:
        yield engine


@pytest.fixture
async def hasty() -> AsyncIterator[Engine]:
    async with Engine(grace=0.1) as engine:
        yield engine


def python(source: str, **more) -> Command:
    return Command((sys.executable, "-c", source), **more)


def one(program, **more) -> list[Task]:
    return [Task("main", program, **more)]


async def nothing(job: Job) -> None:
    pass


class Gate:
    """Programs that tell when they have started and end when they are let go."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self._let: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()

    def program(self, name: str):
        self._let[name] = asyncio.Event()

        async def wait(job: Job) -> str:
            self.started.append(name)
            self._changed.set()
            await self._let[name].wait()
            return name

        return wait

    def open(self, name: str) -> None:
        self._let[name].set()

    async def until(self, *names: str) -> None:
        with anyio.fail_after(5):
            while not set(names) <= set(self.started):
                await self._changed.wait()
                self._changed.clear()


async def settle() -> None:
    """Give everything that could start the chance to start."""
    for _ in range(20):
        await asyncio.sleep(0)


async def ended(engine: Engine, run_id: str = "1"):
    with anyio.fail_after(20):
        return await engine.ended(P, run_id)


async def texts(engine: Engine, run_id: str = "1", **more) -> list[str]:
    return [line.text for _, line in await engine.lines(P, run_id, **more)]


# -- queue and slots ---------------------------------------------------------------


async def test_runs_start_in_order_and_never_more_than_slots(engine):
    gate = Gate()
    for name in "abcd":
        await engine.submit(P, name, one(gate.program(name)))
    await gate.until("a", "b")
    await settle()
    assert gate.started == ["a", "b"]
    assert engine.get(P, "c").state is State.QUEUED
    gate.open("b")
    await gate.until("c")
    await settle()
    assert gate.started == ["a", "b", "c"]
    for name in "acd":
        gate.open(name)
    for name in "abcd":
        assert (await ended(engine, name)).state is State.SUCCEEDED
    assert [r.id for r in engine.runs(P)] == list("abcd")


async def test_slots_are_over_tasks_and_an_earlier_run_goes_first(engine):
    gate = Gate()
    wide = [Task(n, gate.program(n)) for n in ("w1", "w2", "w3")]
    await engine.submit(P, "wide", wide)
    await engine.submit(P, "late", one(gate.program("late")))
    await gate.until("w1", "w2")
    gate.open("w1")
    await gate.until("w3")
    await settle()
    assert "late" not in gate.started
    gate.open("w2")
    await gate.until("late")


async def test_history_has_every_state_with_its_time(engine):
    await engine.submit(P, "1", one(nothing))
    record = await ended(engine)
    states = [state for _, state in record.history]
    assert states == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    times = [time for time, _ in record.history]
    assert times == sorted(times)
    assert record.created <= record.started <= record.ended


async def test_held_run_waits_for_release(engine):
    await engine.submit(P, "1", one(nothing), hold=True)
    await settle()
    assert engine.get(P, "1").state is State.QUEUED
    await engine.release(P, "1")
    await engine.release(P, "1")
    assert (await ended(engine)).state is State.SUCCEEDED


async def test_run_without_tasks_succeeds_at_once_and_ids_are_taken_once(engine):
    record = await engine.submit(P, "1", [])
    assert record.state is State.SUCCEEDED
    with pytest.raises(KeyError):
        await engine.submit(P, "1", [])
    assert (await engine.submit("other", "1", [])).serial == record.serial + 1


async def test_canceled_while_queued_never_starts(engine):
    gate = Gate()
    for name in "abc":
        await engine.submit(P, name, one(gate.program(name)))
    await gate.until("a", "b")
    await engine.cancel(P, "c")
    assert engine.get(P, "c").state is State.CANCELED
    gate.open("a")
    await ended(engine, "a")
    await settle()
    assert "c" not in gate.started
    await engine.cancel(P, "c")
    await engine.cancel(P, "a")
    assert engine.get(P, "a").state is State.SUCCEEDED


async def test_removed_run_is_gone_with_its_lines(engine):
    gate = Gate()
    await engine.submit(P, "1", one(gate.program("a")))
    await gate.until("a")
    await engine.remove(P, "1")
    assert engine.get(P, "1") is None
    assert await engine.lines(P, "1") == []
    assert (await engine.submit(P, "1", [])).state is State.SUCCEEDED


# -- task graphs -------------------------------------------------------------------


async def test_tasks_start_after_their_predecessors_and_in_parallel(engine):
    gate = Gate()
    tasks = [
        Task("join", gate.program("join"), after=("left", "right")),
        Task("left", gate.program("left"), after=("root",)),
        Task("right", gate.program("right"), after=("root",)),
        Task("root", gate.program("root")),
    ]
    await engine.submit(P, "1", tasks)
    await gate.until("root")
    await settle()
    assert gate.started == ["root"]
    gate.open("root")
    await gate.until("left", "right")
    gate.open("left")
    await settle()
    assert "join" not in gate.started
    gate.open("right")
    await gate.until("join")
    gate.open("join")
    assert (await ended(engine)).state is State.SUCCEEDED


async def test_successors_of_a_failed_task_are_left_out_and_others_run(engine):
    async def fail(job: Job) -> None:
        raise ValueError("no such city")

    tasks = [
        Task("bad", fail),
        Task("next", nothing, after=("bad",)),
        Task("last", nothing, after=("next",)),
        Task("good", nothing),
    ]
    await engine.submit(P, "1", tasks)
    record = await ended(engine)
    assert record.state is State.FAILED
    assert record.error == "task bad: no such city"
    states = {name: task.state for name, task in record.tasks.items()}
    assert states == {
        "bad": State.FAILED,
        "next": State.CANCELED,
        "last": State.CANCELED,
        "good": State.SUCCEEDED,
    }
    assert record.tasks["next"].started is None


async def test_canceled_graph_keeps_what_succeeded(engine):
    gate = Gate()
    tasks = [
        Task("a", nothing),
        Task("b", gate.program("b"), after=("a",)),
        Task("c", nothing, after=("b",)),
    ]
    await engine.submit(P, "1", tasks)
    await gate.until("b")
    await engine.cancel(P, "1")
    assert engine.get(P, "1").canceling or engine.get(P, "1").state.final
    record = await ended(engine)
    assert record.state is State.CANCELED
    assert not record.canceling
    assert [t.state for t in record.tasks.values()] == [
        State.SUCCEEDED,
        State.CANCELED,
        State.CANCELED,
    ]


async def test_reset_runs_again_what_did_not_succeed(engine):
    tries = {"a": 0, "b": 0}

    def program(name: str):
        async def count(job: Job) -> str:
            tries[name] += 1
            if name == "b" and tries["b"] == 1:
                raise RuntimeError
            return f"{name}{tries[name]}"

        return count

    tasks = [Task("a", program("a")), Task("b", program("b"), after=("a",))]
    await engine.submit(P, "1", tasks)
    record = await ended(engine)
    assert record.state is State.FAILED
    assert record.tasks["b"].error == "RuntimeError"
    await engine.reset(P, "1")
    record = await ended(engine)
    assert record.state is State.SUCCEEDED
    assert record.error == ""
    assert await engine.stdout(P, "1", "a") == b"a1"
    assert await engine.stdout(P, "1", "b") == b"b2"
    with pytest.raises(ValueError, match="only a failed or canceled run"):
        await engine.reset(P, "1")


def test_graphs_that_could_never_run_are_refused():
    with pytest.raises(ValueError, match="same name"):
        checked([Task("a", nothing), Task("a", nothing)])
    with pytest.raises(ValueError, match="wait for each other"):
        checked([Task("a", nothing, after=("b",)), Task("b", nothing, after=("a",))])
    with pytest.raises(ValueError, match="not in the run"):
        checked([Task("a", nothing, after=("missing",))])


# -- callables ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x00\xff", b"\x00\xff"),
        ("größer", "größer".encode()),
        ({"value": [1, None]}, b'{"value":[1,null]}'),
        (None, b""),
        (0, b"0"),
    ],
)
async def test_what_a_callable_returns_is_its_output(engine, value, expected):
    async def program(job: Job) -> object:
        return value

    await engine.submit(P, "1", one(program))
    assert (await ended(engine)).state is State.SUCCEEDED
    assert await engine.stdout(P, "1") == expected


async def test_callable_gets_stdin_and_env_and_logs_to_stderr(engine):
    async def program(job: Job) -> str:
        await job.log("first\nsecond")
        await job.log("half a pair: \ud800")
        return job.stdin.decode() + job.env["KEY"]

    await engine.submit(P, "1", one(program, stdin=b"in", env={"KEY": "value"}))
    await ended(engine)
    assert await texts(engine, streams=["stderr"]) == [
        "first",
        "second",
        "half a pair: ?",
    ]
    assert await texts(engine, streams=["stdout"]) == ["invalue"]
    record = engine.get(P, "1")
    assert record.state is State.SUCCEEDED
    assert record.tasks["main"].exit_code == 0


async def test_output_that_is_no_json_is_a_failure(engine):
    async def program(job: Job) -> object:
        return object()

    await engine.submit(P, "1", one(program))
    record = await ended(engine)
    assert record.state is State.FAILED
    assert "not JSON serializable" in record.error


async def test_canceled_callable_can_clean_up(engine):
    started, cleaned = asyncio.Event(), []

    async def program(job: Job) -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await job.log("closing")
            await asyncio.sleep(0.01)
            cleaned.append(1)

    await engine.submit(P, "1", one(program))
    await started.wait()
    await engine.cancel(P, "1")
    assert engine.get(P, "1").canceling
    assert (await ended(engine)).state is State.CANCELED
    assert cleaned == [1]
    assert await texts(engine) == ["closing"]


async def test_callable_that_succeeds_although_canceled_has_succeeded(engine):
    started = asyncio.Event()

    async def program(job: Job) -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done anyway"

    await engine.submit(P, "1", one(program))
    await started.wait()
    await engine.cancel(P, "1")
    assert (await ended(engine)).state is State.SUCCEEDED
    assert await engine.stdout(P, "1") == b"done anyway"


async def test_callable_that_refuses_to_end_is_left_alone(hasty, caplog):
    started, enough = asyncio.Event(), asyncio.Event()

    async def program(job: Job) -> None:
        started.set()
        while not enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await enough.wait()

    await hasty.submit(P, "1", one(program))
    await started.wait()
    await hasty.cancel(P, "1")
    assert (await ended(hasty)).state is State.CANCELED
    assert "ignores that it was canceled" in caplog.text
    enough.set()
    await settle()


async def test_callable_that_cancels_itself_has_failed(engine):
    async def program(job: Job) -> None:
        raise asyncio.CancelledError

    await engine.submit(P, "1", one(program))
    record = await ended(engine)
    assert (record.state, record.error) == (
        State.FAILED,
        "The program canceled itself.",
    )


# -- subprocesses ------------------------------------------------------------------


async def test_command_reads_stdin_and_keeps_files(engine):
    program = python(
        "import sys, pathlib; data = sys.stdin.read()\n"
        "pathlib.Path('out').mkdir(); pathlib.Path('out/a.txt').write_text(data)\n"
        "print(open('/dev/stdin').read(0) + pathlib.Path.cwd().name)"
    )
    keep = ("out/a.txt", "missing", "../outside")
    await engine.submit(P, "1", one(program, stdin=b"x" * 300_000, keep=keep))
    record = await ended(engine)
    assert record.state is State.SUCCEEDED, record.error
    assert await engine.kept(P, "1", "main", "out/a.txt") == b"x" * 300_000
    assert await engine.kept(P, "1", "main", "missing") is None
    (name,) = await texts(engine)
    assert not await anyio.Path("/tmp", name).exists()


async def test_given_directory_is_used_and_stays(engine, tmp_path):
    program = python("open('made', 'w').close()", cwd=tmp_path)
    await engine.submit(P, "1", one(program))
    await ended(engine)
    assert await anyio.Path(tmp_path, "made").exists()


async def test_environment_has_own_variables_and_no_secret(engine, monkeypatch):
    monkeypatch.setenv("NEXTMV_API_KEY", "our-secret-token")
    monkeypatch.setenv("HEADER", "Bearer our-secret-token")
    engine.hide.add("our-secret-token")
    program = python(
        "import os, json; print(json.dumps(dict(os.environ)))", env={"A": "1"}
    )
    await engine.submit(P, "1", one(program, env={"B": "2"}))
    await ended(engine)
    output = (await engine.stdout(P, "1")).decode()
    assert "our-secret-token" not in output
    assert '"A": "1"' in output
    assert '"B": "2"' in output
    assert '"PYTHONUNBUFFERED": "1"' in output
    assert '"PATH"' in output


@pytest.mark.parametrize(
    ("program", "code", "reason"),
    [
        (python("raise SystemExit(3)"), 3, "exit status 3"),
        (
            python("import os; os.kill(os.getpid(), 9)"),
            -9,
            "killed by signal 9",
        ),
        (Command(("no-such-program",)), None, "'no-such-program' was not found"),
        (Command(("/etc/passwd",)), None, "is not an executable file"),
        (Command(()), None, "The command is empty"),
        (
            python("", cwd=Path("/no/such/place")),
            None,
            "working directory '/no/such/place' is no directory",
        ),
        (python("", env={"A": "null\0byte"}), None, "could not be started"),
    ],
)
async def test_failures_say_why(engine, program, code, reason):
    await engine.submit(P, "1", one(program))
    record = await ended(engine)
    assert record.state is State.FAILED
    assert reason in record.error
    assert record.tasks["main"].exit_code == code


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def _lines_until(engine: Engine, count: int) -> list[str]:
    with anyio.fail_after(10):
        # A process is waited for, and nothing tells when it has written.
        while len(found := await texts(engine)) < count:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
    return found


FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', '''
import signal, time
{child}
print('child is ready')
time.sleep(100)
'''])
print(os.getpid(), child.pid)
time.sleep(100)
"""


async def test_cancel_ends_the_whole_process_group(engine):
    await engine.submit(P, "1", one(python(FAMILY.format(child=""))))
    pids = [
        int(p) for p in " ".join(await _lines_until(engine, 2)).split() if p.isdigit()
    ]
    assert len(pids) == 2
    assert all(map(_alive, pids))
    await engine.cancel(P, "1")
    record = await ended(engine)
    assert record.state is State.CANCELED
    assert record.tasks["main"].exit_code == -15
    assert not any(map(_alive, pids))


async def test_who_ignores_the_request_to_end_is_killed(hasty):
    child = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    await hasty.submit(P, "1", one(python(FAMILY.format(child=child))))
    pids = [
        int(p) for p in " ".join(await _lines_until(hasty, 2)).split() if p.isdigit()
    ]
    await hasty.cancel(P, "1")
    assert (await ended(hasty)).state is State.CANCELED
    assert not any(map(_alive, pids))


async def test_child_left_behind_does_not_outlive_its_program(engine):
    source = "import subprocess; print(subprocess.Popen(['sleep', '100']).pid)"
    await engine.submit(P, "1", one(python(source)))
    record = await ended(engine)
    assert record.state is State.SUCCEEDED
    assert not _alive(int((await texts(engine))[0]))


async def test_process_that_left_the_group_does_not_hold_the_run(hasty):
    source = (
        "import subprocess\n"
        "print(subprocess.Popen(['sleep', '5'], start_new_session=True).pid)"
    )
    await hasty.submit(P, "1", one(python(source)))
    assert (await ended(hasty)).state is State.SUCCEEDED
    os.kill(int((await texts(hasty))[0]), 9)


async def test_leaving_the_engine_ends_its_programs():
    async with Engine() as engine:
        await engine.submit(P, "1", one(python(FAMILY.format(child=""))))
        pids = [
            int(p)
            for p in " ".join(await _lines_until(engine, 2)).split()
            if p.isdigit()
        ]
    assert not any(map(_alive, pids))


# -- lines -------------------------------------------------------------------------


async def test_lines_of_any_kind_are_captured(engine):
    source = (
        "import sys; out = sys.stdout.buffer\n"
        "out.write(b'windows\\r\\n\\ninvalid: \\xff\\xfe\\n')\n"
        "out.write(b'x' * 2**20 + b'\\nno break at the end')"
    )
    await engine.submit(P, "1", one(python(source)))
    assert (await ended(engine)).state is State.SUCCEEDED
    assert await texts(engine) == [
        "windows",
        "",
        "invalid: \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}",
        "x" * 2**20,
        "no break at the end",
    ]
    assert len(await engine.stdout(P, "1")) == 2**20 + 9 + 1 + 12 + 1 + 19


async def test_ten_thousand_lines_arrive_in_order_before_the_end_is_seen(engine):
    source = "for n in range(10_000): print(n)"
    seen = []

    def listen(record) -> None:
        if record.state.final:
            engine.note(record, "the end", stream="note")
            seen.append(record.state)

    engine.watch(P, listen)
    await engine.submit(P, "1", one(python(source)))
    await ended(engine)
    expected = [*map(str, range(10_000)), "the end"]
    assert await texts(engine) == expected
    assert seen == [State.SUCCEEDED]
    lines = [line for _, line in await engine.lines(P, "1")]
    assert [line.serial for line in lines] == sorted({line.serial for line in lines})
    assert [line.time for line in lines] == sorted(line.time for line in lines)


async def test_streams_keep_their_order_of_arrival(engine):
    source = (
        "import sys, time\n"
        "for n in range(3):\n"
        "    print('out', n); time.sleep(0.02)\n"
        "    print('err', n, file=sys.stderr); time.sleep(0.02)\n"
    )
    await engine.submit(P, "1", one(python(source)))
    await ended(engine)
    assert await texts(engine) == [f"{s} {n}" for n in range(3) for s in ("out", "err")]
    assert await texts(engine, streams=["stderr"]) == ["err 0", "err 1", "err 2"]
    assert await engine.stdout(P, "1") == b"out 0\nout 1\nout 2\n"


async def test_pages_of_lines_over_several_runs(engine):
    records = [await engine.submit(P, name, []) for name in "ab"]
    for n in range(10):
        engine.note(records[n % 2], str(n), stream="note", task=f"t{n % 5}")

    async def page(ids, **more) -> list[str]:
        return [run + line.text for run, line in await engine.lines(P, ids, **more)]

    assert await page(["a", "b", "?"], limit=3) == ["a0", "b1", "a2"]
    (_, last) = (await engine.lines(P, ["a", "b"], limit=3))[-1]
    assert await page(["b", "a"], limit=3, after=last.serial) == ["b3", "a4", "b5"]
    assert await page("b", newest_first=True, limit=2) == ["b9", "b7"]
    (_, last) = (await engine.lines(P, "b", limit=2, newest_first=True))[-1]
    assert await page("b", newest_first=True, after=last.serial) == ["b5", "b3", "b1"]
    assert await page(["a", "b"], task="t1") == ["b1", "a6"]
    assert await page(["a", "b"], streams=[]) == []
    assert await page([]) == []


# -- what is kept ------------------------------------------------------------------


async def test_data_file_is_read_again_and_live_runs_have_failed(tmp_path):
    data = str(tmp_path / "data.db")
    gate = Gate()

    async def talk(job: Job) -> dict:
        await job.log("hello")
        return {"value": 1}

    async with Engine(slots=1, data=data) as engine:
        await engine.submit(P, "done", one(talk), scope="app", detail={"name": "n"})
        await ended(engine, "done")
        await engine.submit(P, "live", one(gate.program("a")))
        await engine.submit(P, "queued", one(nothing))
        await gate.until("a")
        for key in "ab":
            await engine.put(P, "thing", key, {"key": key})
        await engine.put(P, "thing", "a", {"key": "changed"})
        await engine.put_blob(P, "blob", b"\x00")
        before = engine.get(P, "done")

    engine = Engine(data=data)
    told = []
    engine.watch(P, lambda record: told.append(record.id))
    async with engine:
        assert engine.get(P, "done").history == before.history
        assert engine.get(P, "done").detail == {"name": "n"}
        assert await texts(engine, "done") == ["hello", '{"value":1}']
        assert await engine.stdout(P, "done") == b'{"value":1}'
        assert told == ["live", "queued"]
        assert [(r.state, r.error) for r in engine.runs(P)[1:]] == [
            (State.FAILED, RESTARTED),
            (State.FAILED, RESTARTED),
        ]
        assert dict(engine.documents(P, "thing")) == {
            "a": {"key": "changed"},
            "b": {"key": "b"},
        }
        assert list(engine.documents(P, "thing")) == ["a", "b"]
        assert await engine.blob(P, "blob") == b"\x00"
        await engine.drop_blob(P, "blob")
        assert await engine.blob(P, "blob") is None
        with pytest.raises(ValueError, match="earlier server"):
            await engine.reset(P, "live")
        record = await engine.submit(P, "new", one(talk))
        assert record.serial == 4
        await ended(engine, "new")
        new = [line.serial for _, line in await engine.lines(P, "new")]
        assert min(new) > 2

    async with Engine(data=data) as engine:
        assert engine.get(P, "live").state is State.FAILED
        assert engine.get(P, "live").tasks["main"].state is State.FAILED


async def test_documents_are_copies_and_can_be_dropped(engine):
    await engine.put(P, "thing", "a", {"list": [1]})
    engine.document(P, "thing", "a")["list"].append(2)
    assert engine.document(P, "thing", "a") == {"list": [1]}
    await engine.drop(P, "thing", "a")
    await engine.drop(P, "thing", "a")
    assert engine.document(P, "thing", "a") is None
    assert await engine.blob(P, "none") is None


async def test_data_file_that_cannot_be_used_is_named(tmp_path):
    data = str(tmp_path / "data.db")
    async with Engine(data=data):
        with pytest.raises(BadDataFile, match="another server"):
            await Engine(data=data).__aenter__()
    await asyncio.to_thread(_set_version, data)
    with pytest.raises(BadDataFile, match="version 99"):
        await Engine(data=data).__aenter__()
    await anyio.Path(data).write_bytes(b"no database at all" * 100)
    with pytest.raises(BadDataFile, match="no data file of this server"):
        await Engine(data=data).__aenter__()


def _set_version(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


async def test_defect_of_a_listener_ends_nothing(engine, caplog):
    def listen(record) -> None:
        raise RuntimeError("a defect")

    engine.watch(P, listen)
    await engine.submit(P, "1", one(nothing))
    assert (await ended(engine)).state is State.SUCCEEDED
    assert "A listener of platform failed" in caplog.text


async def test_no_slots_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Engine(slots=0)

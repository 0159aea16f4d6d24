"""The journal: what a sweep has done is there after any end of its process."""

import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import warnings
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import anyio
import pytest
from attrs import frozen
from tests.fake_platform import FakePlatform

from aioruns.errors import InvalidInput, JournalError, JournalLocked, Rejected
from aioruns.journal import LINGER, Journal, Stage
from aioruns.journal_file import JournalFile
from aioruns.journal_identity import derive_key, identify
from aioruns.runs import RunSpec
from aioruns.seam import RunRef, RunState, Status

NOW = datetime(2024, 5, 1, 12, 0, 0, 123457, tzinfo=UTC)
SALT = b"s" * 32
RUNS = FakePlatform(clock=object()).runs
SECRET = "hunter2-open-sesame"

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a child")


def spec(payload=None, *, key=None, target="routing"):
    return RunSpec(RUNS, target, {"seed": 1} if payload is None else payload, key)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.db"


@asynccontextmanager
async def opened(path):
    """A journal in the hands of a sweep."""
    journal = await Journal.open(path)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(journal.serve)
            yield journal
            group.cancel_scope.cancel()
    finally:
        await journal.aclose()


def read(path, query, *values):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


async def plan_all(journal, specs, submitting=None):
    entries = {}

    async def plan(index, one):
        entries[index] = await journal.plan(one, submitting)

    async with anyio.create_task_group() as group:
        for index, one in enumerate(specs):
            group.start_soon(plan, index, one)
    return [entries[index] for index in sorted(entries)]


async def test_a_spec_passes_its_stages_and_each_is_found_again(path):
    status = Status(
        RunRef("routing", "run-1"),
        RunState.FAILED,
        "failed",
        "out of memory",
        NOW,
        NOW + timedelta(seconds=1),
        NOW + timedelta(seconds=2.5),
    )
    async with opened(path) as journal:
        planned = await journal.plan(spec())
    assert (planned.stage, planned.fresh, planned.attempt) == (Stage.PLANNED, True, 1)
    async with opened(path) as journal:
        assert await journal.plan(spec()) == planned
        entry = await journal.submitting(planned, NOW)
    assert (entry.stage, entry.fresh, entry.since) == (Stage.SUBMITTING, True, NOW)
    async with opened(path) as journal:
        found = await journal.plan(spec())
        assert (found.stage, found.fresh, found.since) == (entry.stage, False, NOW)
        assert found.key == planned.key
        journal.submitted(found, "run-1", NOW)
    async with opened(path) as journal:
        found = await journal.plan(spec())
        assert (found.stage, found.run_id, found.submitted) == (
            Stage.SUBMITTED,
            "run-1",
            NOW,
        )
        journal.ended(found, NOW + timedelta(minutes=1), status)
    async with opened(path) as journal:
        found = await journal.plan(spec())
        assert found.stage is Stage.ENDED
        assert found.status == status
        assert found.finished == NOW + timedelta(minutes=1)
        assert (found.run_id, found.error) == ("run-1", None)


async def test_planning_and_submitting_can_be_written_at_once(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        assert (entry.stage, entry.fresh, entry.since) == (
            Stage.SUBMITTING,
            True,
            NOW,
        )
        planned = await journal.plan(spec({"seed": 2}))
    async with opened(path) as journal:
        # What was under way is left as it is, what was not begun goes on.
        later = NOW + timedelta(hours=1)
        left = await journal.plan(spec(), submitting=later)
        begun = await journal.plan(spec({"seed": 2}), submitting=later)
        assert (left.fresh, left.since) == (False, NOW)
        assert (begun.key, begun.fresh, begun.since) == (planned.key, True, later)
        rows = read(path, "SELECT stage, since FROM attempts ORDER BY id")
        assert rows == [("submitting", one.timestamp()) for one in (NOW, later)]


async def test_times_of_other_zones_are_the_same_times(path):
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    async with opened(path) as journal:
        await journal.plan(spec(), submitting=there)
    async with opened(path) as journal:
        assert (await journal.plan(spec())).since == NOW


async def test_another_attempt_has_another_key_and_both_are_kept(path):
    async with opened(path) as journal:
        first = await journal.plan(spec(key="mine"), submitting=NOW)
        journal.ended(first, NOW, error=Rejected("not today", None, 400))
        second = await journal.again(first)
        assert (second.attempt, second.stage, second.fresh) == (2, Stage.PLANNED, True)
        second = await journal.submitting(second, NOW)
    async with opened(path) as journal:
        found = await journal.plan(spec(key="mine"))
        assert (found.attempt, found.key, found.row) == (2, second.key, second.row)
        assert found.stage is Stage.SUBMITTING
        third = await journal.again(found, NOW, key="mine~3")
        assert (third.key, third.stage, third.since) == (
            "mine~3",
            Stage.SUBMITTING,
            NOW,
        )
        # A further spec of the same words is a new one, though rows were added.
        other = await journal.plan(spec(key="mine"))
        assert (other.repetition, other.attempt) == (1, 1)
    rows = read(path, "SELECT spec, attempt, key, stage, error FROM attempts")
    assert rows == [
        (first.spec, 1, "mine", "ended", "not today"),
        (first.spec, 2, second.key, "submitting", None),
        (first.spec, 3, "mine~3", "submitting", None),
        (other.spec, 1, "mine", "planned", None),
    ]
    assert len({"mine", second.key, third.key}) == 3
    assert second.key.startswith("aioruns-")
    assert len(second.key) <= 64
    assert read(path, "SELECT attempt, stage FROM runs ORDER BY id") == [
        (3, "submitting"),
        (1, "planned"),
    ]


async def test_the_attempts_before_can_be_read(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        assert await journal.earlier(entry) == []
        await journal.plan(spec({"seed": 2}), submitting=NOW)
        for run_id in ("run-1", "run-2"):
            journal.submitted(entry, run_id, NOW)
            status = Status(RunRef("routing", run_id), RunState.FAILED, "failed")
            journal.ended(entry, NOW, status)
            entry = await journal.again(entry, NOW)
    async with opened(path) as journal:
        entry = await journal.plan(spec())
        before = await journal.earlier(entry)
    assert entry.attempt == 3
    assert [one.attempt for one in before] == [1, 2]
    assert [one.status.ref.id for one in before] == ["run-1", "run-2"]
    assert {one.stage for one in before} == {Stage.ENDED}
    with pytest.raises(JournalError, match="closed database"):
        await journal.earlier(entry)


async def test_what_was_refused_may_be_submitted_after_all(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        journal.ended(entry, NOW, error=Rejected("not today", None, 400))
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        assert (entry.stage, entry.error) == (Stage.ENDED, "not today")
        assert (entry.fresh, entry.status, entry.run_id) == (False, None, None)
        journal.submitted(entry, "run-1", NOW)
    async with opened(path) as journal:
        entry = await journal.plan(spec())
        assert (entry.stage, entry.error, entry.finished) == (
            Stage.SUBMITTED,
            None,
            None,
        )


async def test_equal_specs_are_told_apart_by_their_number(path):
    same = [spec()] * 5 + [spec({"seed": 2})] * 2
    async with opened(path) as journal:
        together = await plan_all(journal, same[:3])
        single = [await journal.plan(one) for one in same[3:]]
        first = together + single
    assert [one.repetition for one in first] == [0, 1, 2, 3, 4, 0, 1]
    assert len({one.key for one in first}) == 7
    async with opened(path) as journal:
        # Two more than there were, some of them in one group.
        again = await plan_all(journal, [*same[:4], same[5]])
        again += [await journal.plan(one) for one in (same[4], same[6])]
        more = await plan_all(journal, [spec(), spec()])
        more.append(await journal.plan(spec()))
        new = await plan_all(journal, [spec({"seed": 3})] * 2)
    assert {one.row for one in again} == {one.row for one in first}
    assert again[:4] == first[:4]
    assert [one.repetition for one in more] == [5, 6, 7]
    assert [one.repetition for one in new] == [0, 1]
    assert len(read(path, "SELECT DISTINCT identity, repetition FROM attempts")) == 12


async def test_changed_specs_are_new_ones(path):
    specs = [
        spec({"seed": 1}),
        spec({"seed": "1"}),
        spec({"seed": 1.0}),
        spec({"seed": 1}, target="packing"),
        spec({"seed": 1}, key="one"),
        spec({"seed": 1}, key="two"),
        spec({"seed": [1]}),
    ]
    async with opened(path) as journal:
        entries = await plan_all(journal, specs)
        assert {one.repetition for one in entries} == {0}
        assert len({one.row for one in entries}) == len(specs)


async def test_a_key_of_its_own_is_used_whatever_the_payload(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec({"seed": object()}, key="mine"))
        assert entry.key == "mine"
    async with opened(path) as journal:
        assert (await journal.plan(spec({"seed": 2}, key="mine"))).row == entry.row


@frozen
class Stop:
    name: str
    at: tuple[float, float]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        ({"a": {"x", "y", "z"}}, {"a": {"z", "y", "x"}}),
        ({"a": MappingProxyType({"b": 1})}, {"a": {"b": 1}}),
        ({"a": b"123"}, {"a": bytearray(b"123")}),
        ({"a": Path("x/y")}, {"a": Path("x") / "y"}),
        ({"a": range(3)}, {"a": [0, 1, 2]}),
        ({"a": {1: 2}}, {"a": {"1": 2}}),
        ({"a": Stop("x", (1, 2))}, {"a": Stop("x", (1, 2))}),
        ({"a": NOW}, {"a": NOW}),
    ],
)
def test_what_says_the_same_is_the_same(one, other):
    assert identify(spec(one), SALT) == identify(spec(other), SALT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": b"1"}, {"a": "1"}),
        ({"a": b"1"}, {"a": b"2"}),
        ({"a": PurePosixPath("x")}, {"a": "x"}),
        ({"a": Decimal("1.0")}, {"a": "1.0"}),
        ({"a": Stop("x", (1, 2))}, {"a": Stop("x", (1, 3))}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {}),
        ({"a": True}, {"a": 1}),
    ],
)
def test_what_says_something_else_is_something_else(one, other):
    assert identify(spec(one), SALT) != identify(spec(other), SALT)


@pytest.mark.parametrize(
    "odd", [object(), len, lambda: 1, 2**70, "\ud800", iter([1])], ids=repr
)
async def test_what_cannot_be_told_again_asks_for_a_key(path, odd):
    async with opened(path) as journal:
        with pytest.raises(InvalidInput, match="give it a key") as caught:
            await journal.plan(spec({"secret": SECRET, "odd": odd}))
        assert SECRET not in str(caught.value)
        assert (await journal.plan(spec())).row == 1


def test_an_identity_is_the_same_in_every_process():
    code = (
        "from tests.test_journal import *;"
        "print(identify(spec({'a': {'x', 'y'}, 'b': 1}), SALT));"
        "print(derive_key(1, 2, 3))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
        env={
            **os.environ,
            "PYTHONHASHSEED": "7",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    mine = identify(spec({"b": 1, "a": {"y", "x"}}), SALT)
    assert done.stdout.split() == [str(mine), derive_key(1, 2, 3)]


async def test_journals_are_salted_and_hold_no_secrets(tmp_path):
    found = []
    for name in ("one.db", "two.db"):
        async with opened(tmp_path / name) as journal:
            entry = await journal.plan(spec({"password": SECRET}), submitting=NOW)
            journal.ended(entry, NOW, error=JournalError("x" * 2000))
            found.append((entry.key, entry.identity))
        for file in tmp_path.iterdir():
            assert SECRET.encode() not in file.read_bytes()
        assert read(tmp_path / name, "SELECT length(error) FROM attempts") == [(500,)]
    (key, identity), (other_key, other_identity) = found
    assert key != other_key
    assert identity != other_identity
    assert read(tmp_path / "one.db", "SELECT identity FROM attempts") == [(identity,)]


async def test_texts_that_sqlite_cannot_hold_do_no_harm(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        journal.submitted(entry, "r\udc80", NOW)
        status = Status(RunRef("", "r"), RunState.FAILED, "f\0", "äö\ud800" * 300)
        journal.ended(entry, NOW, status)
        await journal.plan(spec({"seed": 2}))
    async with opened(path) as journal:
        found = await journal.plan(spec())
    assert (found.run_id, found.status.text) == ("r?", "f\0")
    assert found.status.reason.startswith("äö?äö?")
    assert len(found.status.reason) == 500


async def test_callers_at_one_time_share_a_transaction(path, monkeypatch):
    sizes = []
    write = JournalFile.write

    def counted(self, group):
        sizes.append(len(group.plans) + len(group.submitting))
        write(self, group)

    monkeypatch.setattr(JournalFile, "write", counted)
    async with opened(path) as journal:

        async def work():
            for number in range(10):
                entry = await journal.plan(spec({"seed": number}))
                await journal.submitting(entry, NOW)

        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(work)
    assert sum(sizes) == 50 * 10 * 2
    assert len(sizes) < 60


async def test_what_nobody_waits_for_is_written_soon(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        began = time.monotonic()
        journal.submitted(entry, "run-1", NOW)
        journal.ended(entry, NOW, Status(RunRef("", "run-1"), RunState.SUCCEEDED, "ok"))
        with anyio.fail_after(10):
            query = "SELECT stage, run_id FROM runs"
            while read(path, query) != [("ended", "run-1")]:  # noqa: ASYNC110 - a file
                await anyio.sleep(0.02)
        assert time.monotonic() - began >= LINGER / 2


async def test_it_rides_with_the_next_group(path):
    async with opened(path) as journal:
        entry = await journal.plan(spec(), submitting=NOW)
        journal.submitted(entry, "run-1", NOW)
        await journal.plan(spec({"seed": 2}))
        rows = read(path, "SELECT stage FROM runs ORDER BY id")
        assert rows == [("submitted",), ("planned",)]


async def test_closing_writes_what_is_left_and_refuses_the_rest(path):
    journal = await Journal.open(path)
    refused = []
    made = []

    async def plan(seed):
        with anyio.CancelScope(shield=True):
            try:
                made.append(await journal.plan(spec({"seed": seed}), submitting=NOW))
            except JournalError as error:
                refused.append(str(error))

    async with anyio.create_task_group() as group:
        group.start_soon(journal.serve)
        # The one who writes is cancelled while it writes one and the other waits.
        with journal._file._turn:
            group.start_soon(plan, 1)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(plan, 2)
            await anyio.wait_all_tasks_blocked()
            assert journal._group.asked.is_set()
            group.cancel_scope.cancel()
    assert len(refused) == len(made) == 1
    assert "was closed before a run was written down" in refused[0]
    journal.submitted(made[0], "run-1", NOW)
    with pytest.raises(JournalError, match="its sweep has ended"):
        await journal.plan(spec())
    await journal.aclose()
    await journal.aclose()
    assert not path.with_name("sweep.db-wal").exists()
    assert read(path, "SELECT stage, run_id FROM runs") == [("submitted", "run-1")]


async def test_a_second_sweep_is_told_who_has_it(path):
    code = (
        "import sys; from aioruns.journal_file import JournalFile; import pathlib;"
        "JournalFile.open(pathlib.Path(sys.argv[1])); print('open', flush=True);"
        "sys.stdin.read()"
    )
    child = await anyio.open_process(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    async with child:
        try:
            assert b"open" in await child.stdout.receive()
            with pytest.raises(JournalLocked, match="in use by another sweep") as told:
                await Journal.open(path)
            assert str(path) in str(told.value)
            # Whoever only reads is not kept out.
            assert read(path, "SELECT count(*) FROM runs") == [(0,)]
        finally:
            child.send_signal(signal.SIGKILL)
            await child.wait()
        # The lock died with its process.
        async with opened(path) as journal:
            await journal.plan(spec())
            with pytest.raises(JournalLocked):
                await Journal.open(path)
            link = path.with_name("other.db")
            link.symlink_to(path)
            with pytest.raises(JournalLocked):
                await Journal.open(link)
    async with opened(path):
        pass


async def test_readers_read_while_it_is_written(path):
    seen = []
    async with opened(path) as journal:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
            for number in range(20):
                await journal.plan(spec({"seed": number}), submitting=NOW)
                seen += reader.execute("SELECT count(*) FROM runs").fetchone()
            # A snapshot that stays open does not stop the one who writes.
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM runs").fetchone()
            for number in range(20, 40):
                await journal.plan(spec({"seed": number}), submitting=NOW)
            assert reader.execute("SELECT count(*) FROM runs").fetchone() == (20,)
        if shutil.which("sqlite3"):
            done = await anyio.run_process(
                [
                    *("sqlite3", "-readonly", str(path)),
                    "SELECT stage, since, count(*) FROM runs GROUP BY stage",
                ]
            )
            assert done.stdout.split() == [b"submitting|2024-05-01", b"12:00:00|40"]
    assert seen == list(range(1, 21))


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all, but long enough to look like one\n")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(JournalError, match="no journal of a sweep"):
            anyio.run(Journal.open, path)
        assert path.read_bytes() == before
    assert not (tmp_path / "notes.txt-lock").exists()


async def test_an_empty_file_becomes_a_journal(path):
    path.touch()
    async with opened(path) as journal:
        assert (await journal.plan(spec())).row == 1


async def test_a_damaged_file_gets_a_sentence(path):
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(JournalError, match=r"sweep.db cannot be used: "):
        await Journal.open(path)


async def test_a_later_version_is_refused(path):
    async with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(JournalError, match="is of version 3"):
        await Journal.open(path)


@pytest.mark.parametrize("where", ["missing/sweep.db", "", "/proc/sweep.db"])
async def test_a_place_that_cannot_be_written_is_refused(tmp_path, where):
    with pytest.raises(JournalError, match="the journal"):
        await Journal.open(tmp_path / where)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
@pytest.mark.parametrize("name", ["", "sweep.db"])
async def test_what_may_only_be_read_is_refused(tmp_path, path, name):
    async with opened(path):
        pass
    place = tmp_path / name
    mode = stat.S_IMODE(place.stat().st_mode)
    place.chmod(mode & ~0o222)
    try:
        with pytest.raises(JournalError, match="cannot be used"):
            await Journal.open(path)
    finally:
        place.chmod(mode)


async def test_values_that_another_program_wrote_get_a_sentence(path):
    async with opened(path) as journal:
        await journal.plan(spec())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE attempts SET stage = 'lost'")
        connection.commit()
    refused = []

    async def refuse(call, *args):
        with pytest.raises(JournalError, match="'lost' is not a valid Stage") as told:
            await call(*args)
        refused.append(told.value)

    async with opened(path) as journal:
        other = await journal.plan(spec({"seed": 2}))
        async with anyio.create_task_group() as group:
            group.start_soon(refuse, journal.submitting, other, NOW)
            group.start_soon(refuse, journal.plan, spec())
    # Of a transaction that fails nothing stays.
    assert len(refused) == 2
    rows = read(path, "SELECT stage FROM attempts ORDER BY id")
    assert rows == [("lost",), ("planned",)]


@contextmanager
def full_disk(journal):
    connection = journal._file._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


async def test_on_a_full_disk_nothing_is_submitted_and_nothing_forgotten(path):
    async with opened(path) as journal:
        entries = await plan_all(journal, [spec()] * 30, NOW)
        refused = []

        async def plan(number):
            try:
                await journal.plan(spec({"seed": "new", "n": number}), submitting=NOW)
            except JournalError as error:
                refused.append(str(error))

        with full_disk(journal):
            journal.submitted(entries[0], "run-0", NOW)
            async with anyio.create_task_group() as group:
                for number in range(500):
                    group.start_soon(plan, number)
            journal.submitted(entries[1], "run-1", NOW)
        assert len(refused) == 500
        assert "database or disk is full" in refused[0]
        assert "room on the disk" in refused[0]
        # With room again it goes on, and the numbers are as if nothing had been.
        assert (await journal.plan(spec({"seed": "new", "n": 1}))).repetition == 0
        assert (await journal.plan(spec())).repetition == 30
    rows = read(path, "SELECT run_id FROM runs WHERE stage = 'submitted' ORDER BY id")
    assert rows == [("run-0",), ("run-1",)]
    assert len(read(path, "SELECT * FROM runs")) == 32


async def test_closing_says_what_could_not_be_written(path):
    journal = await Journal.open(path)
    async with anyio.create_task_group() as group:
        group.start_soon(journal.serve)
        entry = await journal.plan(spec(), submitting=NOW)
        group.cancel_scope.cancel()
    journal._file._connection.execute("PRAGMA query_only = ON")
    journal.submitted(entry, "run-1", NOW)
    with pytest.raises(JournalError, match="cannot be used"):
        await journal.aclose()
    # It is closed all the same.
    async with opened(path) as journal:
        assert (await journal.plan(spec())).stage is Stage.SUBMITTING


async def sweep(path, report):
    """Go on until killed, and report each key that may be sent."""
    numbers = count()
    async with opened(path) as journal:

        async def work(at_once):
            for number in numbers:
                one = spec({"seed": number // 2})
                if at_once:
                    entry = await journal.plan(one, submitting=NOW)
                else:
                    entry = await journal.submitting(await journal.plan(one), NOW)
                report(entry.key)
                journal.submitted(entry, f"run-{entry.key}", NOW)
                if number % 3:
                    journal.ended(entry, NOW)

        async with anyio.create_task_group() as group:
            for worker in range(20):
                group.start_soon(work, worker % 2)


def start_sweep(path):
    """Fork a child that sweeps; return its pid, and where it reports."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(writer)
        return pid, os.fdopen(reader, "rb")
    try:
        anyio.run(sweep, path, lambda key: os.write(writer, f"{key}\n".encode()))
    finally:
        os._exit(1)


@forks
def test_a_key_that_may_be_sent_is_there_after_any_kill(path):
    chance = random.Random(4)
    told = set()
    for _ in range(20):
        pid, reports = start_sweep(path)
        try:
            with reports:
                told.add(reports.readline().decode().strip())
                time.sleep(chance.uniform(0, 0.06))
                os.kill(pid, signal.SIGKILL)
                lines = reports.read().decode().splitlines(keepends=True)
                told |= {line.strip() for line in lines if line.endswith("\n")}
        finally:
            os.waitpid(pid, 0)
        rows = read_after_kill(path)
        assert told <= {key for key, stage in rows if stage != "planned"}
    assert len(told) > 100

    async def resume():
        async with opened(path) as journal:
            specs = [spec({"seed": number // 2}) for number in range(len(rows))]
            return await plan_all(journal, specs)

    # The same specs find all of them, and none twice.
    entries = anyio.run(resume)
    assert len({one.key for one in entries}) == len(entries)
    assert told <= {one.key for one in entries}
    assert all(one.run_id in {None, f"run-{one.key}"} for one in entries)


def read_after_kill(path):
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        twice = (
            "SELECT count(*) - count(DISTINCT identity || ' ' || repetition)"
            " FROM attempts WHERE attempt = 1"
        )
        assert connection.execute(twice).fetchone() == (0,)
        return connection.execute("SELECT key, stage FROM runs").fetchall()


def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@linux
async def test_memory_does_not_grow_with_the_number_of_specs(path):
    async def pass_over(total, warm):
        numbers = iter(range(total))
        before = None
        async with opened(path) as journal:

            async def work():
                nonlocal before
                for number in numbers:
                    if number == warm:
                        before = resident()
                    entry = await journal.plan(spec({"n": number}), submitting=NOW)
                    journal.submitted(entry, "run", NOW)

            async with anyio.create_task_group() as group:
                for _ in range(500):
                    group.start_soon(work)
            return resident() - before

    grown = [await pass_over(100_000, 10_000), await pass_over(20_000, 5000)]
    sys.stdout.write("grown by {:.1f} MB, when resumed {:.1f} MB".format(*grown))
    assert max(grown) < 8
    assert read(path, "SELECT count(*) FROM runs") == [(100_000,)]

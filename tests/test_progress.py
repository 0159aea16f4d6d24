"""How far a sweep has come, as it is told to a function, a terminal and a file."""

import asyncio
import io
import itertools
import re
import sys

import anyio
import anyio.lowlevel
import pytest
from rich.console import Console
from rich.live import Live
from tests.fake_platform import FakePlatform, failing

from aioruns.batch import Progress, as_completed, gather
from aioruns.errors import BadRequest, Forbidden
from aioruns.runs import RunState
from aioruns.sweeps.display import LiveDisplay, Picture
from aioruns.sweeps.showing import PlainLines


@pytest.fixture
def platform():
    return FakePlatform()


def specs(platform, count):
    return [platform.spec(f"k{number}") for number in range(count)]


def counts(progress):
    return progress.submitted, progress.retried, progress.active, progress.ended


def made(**facts):
    """Progress in the middle of a sweep, unless told otherwise."""
    plain = {
        "elapsed": 61.0,
        "total": 400,
        "submitted": 116,
        "retried": 0,
        "active": 16,
        "ended": {RunState.SUCCEEDED: 98, RunState.FAILED: 2},
        "failures": (),
    }
    return Progress(**{**plain, **facts})


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self):
        return True


# -- told to a function ---------------------------------------------------------------


async def test_a_function_is_told_what_changes_and_the_end(platform):
    told = []
    platform.lives = {f"k{n}": (n * 0.03, RunState.SUCCEEDED) for n in range(200)}
    await gather(specs(platform, 200), max_active=20, progress=told.append)
    assert told[-1].done == told[-1].total == told[-1].submitted == 200
    assert told[-1].active == 0
    assert all(before.elapsed < after.elapsed for before, after in pairs(told[:-1]))
    assert all(counts(before) != counts(after) for before, after in pairs(told[:-1]))
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert max(one.active for one in told) <= 20


async def test_a_function_is_called_ten_times_a_second_at_most(platform):
    moments = []
    platform.life = (0.001, RunState.SUCCEEDED)
    platform.latency = 0.003
    await gather(
        specs(platform, 2000),
        max_active=5,
        progress=lambda progress: moments.append(progress.elapsed),
    )
    assert len(moments) > 10
    # The end is told at once.
    assert all(after - before >= 0.0999 for before, after in pairs(moments[:-1]))


async def test_a_function_is_not_called_while_nothing_happens(platform):
    told = []
    platform.life = (3600.0, RunState.SUCCEEDED)
    await gather(specs(platform, 3), progress=told.append)
    assert len(told) <= 4
    assert told[0].elapsed < 1
    assert told[-1].elapsed > 3600


async def test_an_empty_sweep_has_an_end_too():
    told = []
    assert await gather([], progress=told.append) == []
    assert [(one.total, one.done, one.elapsed) for one in told] == [(0, 0, 0.0)]


async def test_the_end_is_told_when_the_block_is_left(platform):
    told = []
    async with as_completed(
        (platform.spec() for _ in itertools.count()), progress=told.append
    ) as outcomes:
        async for _ in outcomes:
            before = len(told)
            break
    assert len(told) == before + 1
    assert told[-1].done >= 1
    assert told[-1].total is None


async def test_the_end_includes_submissions_that_were_in_flight(platform):
    told = []
    platform.latency = 2.0
    async with as_completed(specs(platform, 3), progress=told.append):
        await platform.clock.sleep(1.0)
    assert platform.calls["create"] == 3
    assert told[-1].submitted == 3


async def test_the_end_is_told_when_the_sweep_fails(platform):
    told = []
    platform.plans["create"] = [None, failing(Forbidden("no"))]
    with pytest.raises(Forbidden):
        await gather(specs(platform, 5), max_active=1, progress=told.append)
    assert told[-1].done == 2
    assert "Forbidden" in told[-1].failures[0] or "no" in told[-1].failures[0]


async def test_the_end_is_told_when_the_sweep_is_cancelled(platform):
    told = []
    platform.life = (1e6, RunState.SUCCEEDED)
    with platform.clock.limit(7) as scope:
        await gather(specs(platform, 2), progress=told.append)
    assert scope.cancelled_caught
    assert told[-1].active == 2
    assert told[-1].elapsed == pytest.approx(7, abs=0.1)


# -- a function that fails ------------------------------------------------------------


class Broken(Exception):
    pass


@pytest.mark.parametrize("at", [1, 2])
async def test_what_a_function_raises_comes_out_as_it_is(platform, at):
    calls = itertools.count(1)

    def progress(_):
        if next(calls) == at:
            raise Broken

    with pytest.raises(Broken):
        await gather(specs(platform, 3), progress=progress)
    # Who has failed is not called again.
    assert next(calls) == at + 1


async def test_what_a_function_raises_at_the_end_comes_out_as_it_is(platform):
    def progress(told):
        if told.done == told.total:
            raise Broken

    with pytest.raises(Broken):
        await gather(specs(platform, 3), progress=progress)


async def test_it_comes_out_when_the_block_is_left(platform):
    def progress(_):
        raise Broken

    with pytest.raises(Broken):
        async with as_completed(specs(platform, 3), progress=progress):
            await anyio.lowlevel.checkpoint()


async def test_what_the_block_raises_comes_first(platform):
    def progress(_):
        raise Broken

    async def leave():
        async with as_completed(specs(platform, 3), progress=progress):
            await anyio.lowlevel.checkpoint()
            raise KeyError

    with pytest.raises(KeyError):
        await leave()


async def test_what_ends_the_sweep_comes_first(platform):
    def broken_specs():
        yield platform.spec()
        raise LookupError

    def progress(_):
        raise Broken

    with pytest.raises(LookupError):
        await gather(broken_specs(), progress=progress)


# -- plain lines ----------------------------------------------------------------------


async def test_without_a_terminal_there_are_a_few_plain_lines(platform, capsys):
    platform.lives = {"k3": (5.0, RunState.FAILED), "k4": (1.0, RunState.CANCELED)}
    await gather(specs(platform, 20), max_active=4, progress=True)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert 3 <= len(lines) <= 8
    assert "\x1b" not in err
    assert all(re.match(r"aioruns: \d+/20 \(\d+%\) done, ", line) for line in lines)
    assert "left" in lines[-2]
    assert lines[-1].startswith(
        "aioruns: 20/20 (100%) done, 18 succeeded, 1 failed, 1 canceled, 0 active, "
    )
    assert "left" not in lines[-1]
    assert err.count("latest failure: run-5: canceled") == err.count("latest") == 1


async def test_lines_are_five_seconds_apart(platform, capsys):
    platform.life = (0.5, RunState.SUCCEEDED)
    began = platform.clock.now()
    await gather(specs(platform, 60), max_active=1, progress=True)
    seconds = platform.clock.now() - began
    lines = capsys.readouterr().err.splitlines()
    assert 5 <= len(lines) <= seconds / 5 + 1


async def test_a_short_sweep_is_one_line(platform, capsys):
    platform.life = (1.0, RunState.SUCCEEDED)
    await gather((one for one in specs(platform, 2)), progress=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("aioruns: 2 done, 2 succeeded, 0 active, ")


async def test_nothing_is_written_unless_it_is_wanted(platform, capsys):
    await gather(specs(platform, 20), max_active=1)
    assert capsys.readouterr() == ("", "")


def test_a_line_stays_a_line_whatever_a_server_says(capsys):
    PlainLines().show(made(failures=("r1: failed a\nb\x1b[2J",)), over=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("latest failure: r1: failed a b [2J")


async def test_a_sweep_goes_on_without_stderr(platform, monkeypatch):
    class Gone(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    for stderr in (Gone(), None):
        monkeypatch.setattr(sys, "stderr", stderr)
        assert len(await gather(specs(platform, 9), max_active=1, progress=True)) == 9


async def test_lines_do_not_need_rich(platform, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "aioruns.sweeps.display")
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    await gather(specs(platform, 2), progress=True)
    assert "pip install" not in capsys.readouterr().err

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    await gather(specs(platform, 20), max_active=2, progress=True)
    first, *lines = sys.stderr.getvalue().splitlines()
    assert first.endswith('pip install "aioruns[cli]"')
    assert len(lines) > 2
    assert all(line.startswith("aioruns: ") for line in lines)


@pytest.mark.parametrize("name", ["dumb", "unknown"])
async def test_a_terminal_that_cannot_draw_gets_lines(platform, monkeypatch, name):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", name)
    await gather(specs(platform, 2), progress=True)
    assert "\x1b" not in sys.stderr.getvalue()


# -- drawn on a terminal --------------------------------------------------------------


@pytest.fixture
def open_terminal(monkeypatch):
    """Let stderr be a terminal of eighty columns, once pytest has set its own."""
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")

    def set_stderr():
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return set_stderr


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def restored(terminal):
    """Whether the cursor is there, on a line of its own, and nobody in between."""
    text = terminal.getvalue()
    return (
        sys.stderr is terminal
        and text.count(HIDE) == text.count(SHOW) == 1
        and text.endswith("\n" + SHOW)
    )


async def test_a_sweep_is_drawn(platform, open_terminal):
    terminal = open_terminal()
    platform.lives["k7"] = (5.0, RunState.FAILED)
    await gather(specs(platform, 20), max_active=4, progress=True)
    last = terminal.getvalue().rpartition("\x1b[1A")[2]
    assert restored(terminal)
    assert "20/20 (100%)" in last
    assert "19 succeeded" in last
    assert "run-8: failed" in last
    assert "left" not in last
    assert "left" in terminal.getvalue()


@pytest.mark.parametrize("error", [None, KeyError, asyncio.CancelledError])
async def test_the_terminal_is_restored_on_every_way_out(
    platform, open_terminal, error
):
    terminal = open_terminal()

    async def leave():
        async with as_completed(specs(platform, 20), progress=True) as outcomes:
            async for _ in outcomes:
                assert sys.stderr is not terminal
                if error:
                    raise error
                break

    if error:
        with pytest.raises(error):
            await leave()
    else:
        await leave()
    assert restored(terminal)


async def test_the_terminal_is_restored_when_the_sweep_fails(platform, open_terminal):
    terminal = open_terminal()
    platform.plans["create"] = [None, failing(Forbidden("no"))]
    with pytest.raises(Forbidden):
        await gather(specs(platform, 5), max_active=1, progress=True)
    assert restored(terminal)


async def test_a_drawing_that_fails_restores_the_terminal(
    platform, open_terminal, monkeypatch
):
    terminal = open_terminal()

    def bar(*_):
        raise Broken

    monkeypatch.setattr(Picture, "_bar", bar)
    with pytest.raises(Broken):
        await gather(specs(platform, 5), progress=True)
    assert sys.stderr is terminal
    assert terminal.getvalue().endswith(SHOW)


async def test_a_second_sweep_does_not_draw_over_the_first(platform, open_terminal):
    terminal = open_terminal()
    other = FakePlatform(platform.clock)
    async with anyio.create_task_group() as group:
        group.start_soon(watched, platform)
        group.start_soon(watched, other)
    # Which of them ends last is not said.
    text = terminal.getvalue()
    assert sys.stderr is terminal
    assert text.count(HIDE) == text.count(SHOW) == 1
    assert "aioruns: 20/20 (100%) done" in terminal.getvalue()


async def watched(platform):
    await gather(specs(platform, 20), max_active=4, progress=True)


async def test_who_draws_already_is_not_disturbed(platform, open_terminal):
    terminal = open_terminal()
    with Live("mine", console=Console(stderr=True), auto_refresh=False):
        await gather(specs(platform, 2), progress=True)
    assert "aioruns: 2/2 (100%) done" in terminal.getvalue()


async def test_output_to_a_file_stays_in_the_file(platform, open_terminal, capsys):
    terminal = open_terminal()
    async with as_completed(specs(platform, 2), progress=True) as outcomes:
        async for _ in outcomes:
            sys.stdout.write("mine\n")
    assert capsys.readouterr().out == "mine\n" * 2
    assert "mine" not in terminal.getvalue()


# -- the picture ----------------------------------------------------------------------


def drawn(progress, *, width=100, over=False, **settings):
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        color_system=settings.pop("color_system", None),
        legacy_windows=False,
        **settings,
    )
    console.print(Picture(progress, over))
    return console.file.getvalue()


def test_a_wide_picture():
    bar, said = drawn(made()).splitlines()
    assert re.fullmatch(r"[━╸╺ ]{60,} 100/400 \(25%\) *", bar)
    assert said.rstrip() == (
        "98 succeeded  2 failed  16 active  1.6/s  0:01:01  0:03:03 left"
    )


def test_a_narrow_picture():
    failure = "run-77: failed " + "x" * 100
    lines = drawn(made(failures=(failure,)), width=40).splitlines()
    assert [line.rstrip() for line in lines[1:]] == [
        "98 succeeded  2 failed  16 active",
        "1.6/s  0:01:01  0:03:03 left",
        "  run-77: failed " + "x" * 20 + "…",
    ]
    assert lines[0].rstrip().endswith(" 100/400 (25%)")
    # The terminal's ^C fits in, too.
    assert all(len(line.rstrip()) <= 38 for line in lines)


def test_a_long_name_leaves_room_for_the_reason():
    failure = "ca7c4cae-4b11-507b-907f-4a0e0d9d73fb: failed exit status 1"
    assert "  ..0e0d9d73fb: failed exit status 1\n" in drawn(
        made(failures=(failure,)), width=40
    )
    assert failure in drawn(made(failures=(failure,)), width=100)


def test_all_is_done_when_it_says_so():
    almost = made(total=200, ended={RunState.SUCCEEDED: 199})
    assert "199/200 (99%)" in drawn(almost)


@pytest.mark.parametrize("width", [1, 10, 20])
def test_a_tiny_picture_is_still_one(width):
    assert drawn(made(failures=("r1: failed",)), width=width)


def test_without_a_total_nothing_is_promised():
    running = drawn(made(total=None))
    assert "left" not in running
    assert "%" not in running
    assert running.splitlines()[0].rstrip().endswith(" 100")
    over = drawn(made(total=None), over=True)
    assert over.splitlines()[0].rstrip() == "100"


def test_a_picture_says_what_there_is():
    ended = {RunState.CANCELED: 1, RunState.UNKNOWN: 3}
    picture = drawn(made(ended=ended, retried=5, elapsed=100000.0))
    said = " ".join(picture.splitlines()[1].split())
    assert said.startswith(
        "0 succeeded 1 canceled 3 unknown 16 active 5 submitted again 0.0/min "
        "1 day, 3:46:40"
    )


def test_a_picture_of_nothing_is_full():
    bar, _ = drawn(made(total=0, ended={}), over=True).splitlines()
    assert re.fullmatch(r"━{60,} 0/0 \(100%\) *", bar)


def test_colours_are_left_out_where_they_are_not_wanted():
    progress = made(failures=("r1: failed",))
    coloured = drawn(progress, color_system="truecolor")
    plain = drawn(progress, color_system="truecolor", no_color=True)
    assert "\x1b[31m" in coloured
    assert not re.search(r"\x1b\[[0-9;]*m", plain)


def test_what_a_server_says_moves_no_cursor():
    picture = drawn(made(failures=("r1: [bold]a[/bold]\n\x1b[2Jb\r",)))
    assert "\x1b" not in picture
    assert picture.splitlines()[-1].rstrip() == "  r1: [bold]a[/bold]  [2Jb"


def test_a_terminal_that_has_gone_is_no_failure(monkeypatch):
    class Gone(io.StringIO):
        def write(self, _):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdout", None)
    before = sys.stderr
    console = Console(file=Gone(), force_terminal=True, legacy_windows=False)
    display = LiveDisplay(console)
    for over in (False, False, True):
        display.show(made(), over=over)
    display.close()
    assert sys.stderr is before


# -- what is told ---------------------------------------------------------------------


async def test_further_attempts_are_counted(platform):
    told = []
    platform.life = (1.0, RunState.FAILED)
    await gather(specs(platform, 2), retry_failed=2, progress=told.append)
    assert told[-1].submitted == 2
    assert told[-1].retried == 4
    assert told[-1].ended == {RunState.FAILED: 2}


async def test_the_latest_failures_come_first(platform):
    told = []
    platform.plans["create"] = [failing(BadRequest(f"no {n}")) for n in range(9)]
    await gather(specs(platform, 9), max_active=1, progress=told.append)
    assert [re.findall(r"no \d", one) for one in told[-1].failures] == [
        [f"no {number}"] for number in (8, 7, 6, 5, 4)
    ]


def pairs(values):
    return itertools.pairwise(values)

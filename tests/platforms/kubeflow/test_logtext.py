"""A log answer taken apart as it comes, at any border of its parts."""

import threading
from functools import partial

import anyio
import pytest
from anyio.to_thread import run_sync
from hypothesis import given, settings
from hypothesis import strategies as st

from aioruns.platforms.kubeflow import logtext, spool
from aioruns.platforms.kubeflow.logtext import LogText, split_rest

ERROR = b'{"error_message":"Failed to read logs","error_details":"why\\nmore"}'


async def read(parts, skip=0, slots=1):
    """All lines, and the text that gave them."""
    text = LogText(skip, threading.Semaphore(slots))
    await text.begin()
    for part in parts:
        if not await text.take(part):
            break
    lines = []
    while more := await text.next_lines():
        lines += more
    return lines, text


@pytest.mark.parametrize(
    ("body", "lines", "rest", "error"),
    [
        (b"", [], "", ""),
        (b"one\ntwo", ["one"], "two", ""),
        (b"one\r\n\ntwo\n", ["one", "", "two"], "", ""),
        (ERROR, [], "", "Failed to read logs"),
        (b"one\ntw" + ERROR, ["one"], "tw", "Failed to read logs"),
        (ERROR + b"\n", [ERROR.decode()], "", ""),
        (b'{"error_message":"x","mine":1}', [], '{"error_message":"x","mine":1}', ""),
        (b'{"error_message":}', [], '{"error_message":}', ""),
        (b"\xff\n\xe6", ["\ufffd"], "\ufffd", ""),
        (b"\n\n\n", ["", "", ""], "", ""),
        ("a\x0bb\x85c\u2028d\n".encode(), ["a\x0bb\x85c\u2028d"], "", ""),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
async def test_taking_a_log_apart(body, lines, rest, error, step):
    parts = [body[at : at + step] for at in range(0, len(body), step)]
    for skip in range(len(lines) + 1):
        found, text = await read(parts, skip)
        assert found == lines[skip:]
        assert (text.rest, text.error, text.missing) == (rest, error, 0)
    found, text = await read(parts, len(lines) + 2)
    assert found == []
    assert (text.error, text.missing) == (error, 2)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_text_at_any_border(data):
    some = st.sampled_from(
        [b"\n", b"\r\n", b"x", "日".encode(), b"\xff", b"{", b"line"]
    )
    body = b"".join(data.draw(st.lists(some, max_size=40)))
    ends = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    parts = [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]
    *whole, last = body.decode("utf-8", "replace").split("\n")
    skip = data.draw(st.integers(0, len(whole)))
    found, text = anyio.run(read, parts, skip)
    assert found == [line.removesuffix("\r") for line in whole[skip:]]
    assert text.rest == last.removesuffix("\r")


async def test_an_attempt_that_starts_anew_forgets_the_one_before():
    text = LogText(1, threading.Semaphore(1))
    for _ in range(2):
        await text.begin()
        await text.take(b"one\ntwo\nthr")
    await text.begin()
    await text.take(b"one\ntwo\n")
    assert await text.next_lines() == ["two"]
    assert await text.next_lines() == []
    assert text.rest == ""


@pytest.fixture
def small(monkeypatch):
    """Files are wanted early, and read in small blocks."""
    monkeypatch.setattr(spool, "_IN_MEMORY", 100)
    monkeypatch.setattr(spool, "_PART", 150)
    monkeypatch.setattr(spool, "_BLOCK", 64)
    monkeypatch.setattr(logtext, "_CUT", 48)


LINES = [f"line {number} " + "x" * (number % 90) for number in range(300)]
BODY = "\n".join(LINES).encode()


@pytest.mark.parametrize("skip", [0, 1, 150, 299])
async def test_large_texts_go_to_a_file_and_come_back(small, skip):
    parts = [BODY[at : at + 97] for at in range(0, len(BODY), 97)]
    slots = threading.Semaphore(1)
    text = LogText(skip, slots)
    await text.begin()
    for part in parts:
        assert await text.take(part)
    if skip < 290:
        assert not slots.acquire(blocking=False)  # the file has it
    found = []
    while lines := await text.next_lines():
        assert sum(map(len, lines)) < 300
        found += lines
    assert found == LINES[skip:-1]
    assert text.rest == LINES[-1]
    assert slots.acquire(blocking=False)  # closed at its end


async def test_a_file_is_closed_when_its_text_is_dropped(small):
    slots = threading.Semaphore(1)
    text = LogText(0, slots)
    await text.take(BODY)
    await text.next_lines()
    assert not slots.acquire(blocking=False)
    del text
    # The thread that read last may hold it for a moment.
    assert await run_sync(partial(slots.acquire, timeout=5))


async def test_a_second_attempt_gives_its_file_back(small):
    slots = threading.Semaphore(1)
    text = LogText(0, slots)
    for _ in range(3):
        await text.begin()
        await text.take(BODY)
    await text.begin()
    assert slots.acquire(blocking=False)


async def test_without_a_file_a_text_is_cut_after_a_line(small):
    parts = [BODY[at : at + 97] for at in range(0, len(BODY), 97)]
    found = []
    for _ in range(400):
        lines, text = await read(parts, len(found), slots=0)
        found += lines
        if not text.cut:
            break
        assert lines
        assert text.rest == ""
    assert found == LINES[:-1]
    assert text.rest == LINES[-1]


async def test_a_line_longer_than_memory_is_read_to_its_end_without_a_file(small):
    lines, text = await read([b"y" * 90] * 20 + [b"\nnext\n"], slots=0)
    assert lines == ["y" * 1800, "next"]
    assert text.cut


async def test_a_line_of_a_megabyte():
    line = "日" * 400_000
    body = f"a\n{line}\nb\n{line}".encode()
    parts = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    lines, text = await read(parts)
    assert lines == ["a", line, "b"]
    assert text.rest == line
    lines, text = await read(parts, 2)
    assert lines == ["b"]


def test_an_error_glued_to_text():
    assert split_rest(b"ab" + ERROR) == ("ab", "Failed to read logs")
    assert split_rest(ERROR + b"b") == (ERROR.decode() + "b", "")

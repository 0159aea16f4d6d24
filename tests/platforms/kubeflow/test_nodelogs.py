"""Pages of a look at the logs of a run's pods."""

import json
import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from anyio.to_thread import run_sync
from tests.fakes import FakeClock

from aioruns.errors import OutcomeUnknown
from aioruns.http.clock import SystemClock
from aioruns.platforms.kubeflow import nodelogs, spool
from aioruns.platforms.kubeflow.logtext import LogText
from aioruns.platforms.kubeflow.marks import Mark, Marks, read_marks
from aioruns.platforms.kubeflow.nodelogs import Look, Place, Reading, finish, make_page
from aioruns.platforms.kubeflow.workflow import Node
from aioruns.seam import RunRef, RunState, Status

RUNNING = Status(RunRef("", "r"), RunState.RUNNING, "Running")
SUCCEEDED = Status(RunRef("", "r"), RunState.SUCCEEDED, "Succeeded")
LIVE = Node(id="n", display_name="fit", kind="Pod", phase="Running", started="t1")
ENDED = Node(id="n", display_name="fit", kind="Pod", phase="Succeeded", started="t1")
ERROR = b'{"error_message":"no pod","error_details":"why"}'
DONE = Mark(done=True)


class Pods:
    """A server of log texts, by node id."""

    def __init__(self, texts, slots=1):
        self.texts = texts
        self.slots = threading.Semaphore(slots)
        self.asked = []
        self.broken = set()

    async def read(self, node, skip):
        self.asked.append((node.id, skip))
        text = LogText(skip, self.slots)
        body = self.texts[node.id]
        await text.begin()
        for at in range(0, len(body), 1000):
            if not await text.take(body[at : at + 1000]):
                break
        if node.id in self.broken:
            self.broken.discard(node.id)
            raise OutcomeUnknown("lost")
        return text

    def look(self, nodes, position=None, status=SUCCEEDED):
        marks = read_marks(position)
        return Look(nodes, marks, status, self.read, SystemClock())


async def text_of(body, skip=0):
    text = LogText(skip, threading.Semaphore(1))
    await text.take(body)
    while await text.next_lines():
        pass
    return text


async def test_the_unfinished_line_counts_when_the_node_has_ended():
    text = await text_of(b"one\ntwo", 1)
    assert finish(LIVE, Mark(1), text, run_ended=False) == ([], Mark(1))
    assert finish(ENDED, Mark(1), text, run_ended=False) == (
        ["two"],
        Mark(2, done=True),
    )
    # Archived text may lack the last line break; the line was passed on.
    short = await text_of(b"one\ntwo", 2)
    after = Mark(2, done=True)
    assert finish(ENDED, Mark(2), short, run_ended=False) == ([], after)


async def test_a_text_that_became_shorter_gives_no_line_twice():
    text = await text_of(b"one", 3)
    assert finish(LIVE, Mark(3), text, run_ended=False) == ([], Mark(3))


async def test_no_log_yet_and_no_log_any_more():
    nothing = await text_of(ERROR, 2)
    assert finish(LIVE, Mark(2), nothing, run_ended=False) == ([], Mark(2))
    for run_ended in (False, True):
        mark, looks = Mark(2), 0
        while not mark.done:
            _, mark = finish(ENDED, mark, nothing, run_ended=run_ended)
            looks += 1
        assert (mark.lines, looks) == (2, 5)
    _, first = finish(ENDED, Mark(2), nothing, run_ended=True, looks=2)
    assert not first.done
    assert finish(ENDED, first, nothing, run_ended=True, looks=2)[1].done


@pytest.mark.parametrize(("ago", "looks"), [(1, 5), (3600, 2)])
async def test_an_archive_has_its_time_and_no_more(ago, looks):
    """A run that ended long ago does not keep its reader waiting."""
    clock = FakeClock()
    status = Status(
        RunRef("e", "r"),
        RunState.SUCCEEDED,
        "Succeeded",
        ended=clock.utc() - timedelta(seconds=ago),
    )

    async def read(node, skip):
        text = LogText(skip, threading.Semaphore(1))
        await text.take(ERROR)
        return text

    asked, position, page = 0, None, None
    while page is None or page.incomplete:
        look = Look([ENDED], read_marks(position), status, read, clock)
        page = await look.page()
        position, asked = page.after(0), asked + 1
    assert asked == looks


def test_positions_inside_a_page():
    other = Node(id="m", display_name="check", kind="Pod", phase="Running")
    now = datetime.now(UTC)
    readings = [
        Reading(ENDED, ["b", "c"], Mark(1), Mark(3), now),
        Reading(ENDED, [], Mark(3), Mark(3, 0, done=True), now),
        Reading(other, ["d"], Mark(), Mark(1), now),
    ]
    marks = Marks().with_marks([(ENDED, Mark(1))])
    page = make_page(readings, marks, status=RUNNING)
    assert [(e.source, e.message) for e in page.events] == [
        ("fit", "b"),
        ("fit", "c"),
        ("check", "d"),
    ]
    places = [read_marks(page.after(count)) for count in range(4)]
    assert [(place.of(ENDED), place.of(other)) for place in places] == [
        (Mark(1), Mark()),
        (Mark(2), Mark()),
        (DONE, Mark()),
        (DONE, Mark(1)),
    ]


@pytest.fixture
def small(monkeypatch):
    """Pages of ten lines, and files wanted early."""
    monkeypatch.setattr(nodelogs, "PAGE", 8)
    monkeypatch.setattr(nodelogs, "ENOUGH", 5)
    monkeypatch.setattr(nodelogs, "AT_ONCE", 2)
    monkeypatch.setattr(spool, "_IN_MEMORY", 300)
    monkeypatch.setattr(spool, "_BLOCK", 100)


def pods_of(*counts):
    nodes = [
        Node(id=f"n{n}", display_name=f"n{n}", kind="Pod", phase="Running", started="t")
        for n in range(len(counts))
    ]
    texts = {
        node.id: "".join(f"{node.id} line {i}\n" for i in range(count)).encode()
        for node, count in zip(nodes, counts, strict=True)
    }
    whole = [line for text in texts.values() for line in text.decode().splitlines()]
    return nodes, texts, whole


async def follow(pods, nodes, position=None, *, as_place=True):
    """All pages from a position; looks anew where a place does not go on."""
    pages = []
    while True:
        page = None
        if isinstance(position, Place):
            page = await position.next_page()
        if page is None:
            page = await pods.look(nodes, position).page()
        pages.append(page)
        if not page.more:
            return pages
        position = page.after(len(page.events))
        if not as_place:
            position = json.loads(json.dumps(position))


COUNTS = (3, 95, 0, 1, 10, 40)


@pytest.mark.parametrize("slots", [0, 1, 5])
@pytest.mark.parametrize("as_place", [True, False])
async def test_pages_are_small_and_whole(small, slots, as_place):
    nodes, texts, whole = pods_of(*COUNTS)
    pods = Pods(texts, slots)
    pages = await follow(pods, nodes, as_place=as_place)
    assert [e.message for page in pages for e in page.events] == whole
    assert all(len(page.events) <= 12 for page in pages)
    assert [page.status for page in pages] == [None] * (len(pages) - 1) + [SUCCEEDED]
    if as_place and slots == 5:
        # One look asks once for each pod, however many pages it makes.
        assert pods.asked == [(node.id, 0) for node in nodes]
    last = pages[-1].after(len(pages[-1].events))
    assert read_marks(last).of(nodes[1]) == DONE
    assert not (await pods.look(nodes, last).page()).events


async def test_every_position_of_every_page_goes_on_exactly_there(small):
    nodes, texts, whole = pods_of(*COUNTS)
    pods = Pods(texts)
    seen = 0
    for page in await follow(pods, nodes):
        for count in range(len(page.events) + 1):
            place = json.loads(json.dumps(page.after(count)))
            rest = await follow(pods, nodes, place)
            events = [e.message for one in rest for e in one.events]
            assert events == whole[seen + count :]
        seen += len(page.events)


async def test_a_page_that_failed_is_asked_for_anew(small):
    nodes, texts, whole = pods_of(*COUNTS)
    pods = Pods(texts)
    page = await pods.look(nodes).page()
    seen = [event.message for event in page.events]
    failed = 0
    while page.more:
        place = page.after(len(page.events))
        pods.broken = {node.id for node in nodes}
        try:
            page = await place.next_page() or await pods.look(nodes, place).page()
        except OutcomeUnknown:
            failed += 1
            assert await place.next_page() is None
            pods.broken = set()
            page = await pods.look(nodes, page.after(len(page.events))).page()
        seen += [event.message for event in page.events]
    assert seen == whole
    assert failed


async def test_a_place_goes_on_once_and_others_ask_anew(small):
    nodes, texts, whole = pods_of(60)
    pods = Pods(texts)
    first = await pods.look(nodes).page()
    end = len(first.events)
    place = first.after(end)
    second = [event.message for event in (await place.next_page()).events]
    assert second == whole[end : end + len(second)]
    assert await place.next_page() is None
    assert await first.after(end).next_page() is None
    assert not isinstance(first.after(end - 1), Place)


async def test_files_are_closed_when_the_place_is_dropped(small):
    nodes, texts, _ = pods_of(200)
    pods = Pods(texts)
    page = await pods.look(nodes).page()
    place = page.after(len(page.events))
    assert not pods.slots.acquire(blocking=False)
    del page
    assert not pods.slots.acquire(blocking=False)
    del place
    # The thread that read last may hold it for a moment.
    assert await run_sync(partial(pods.slots.acquire, timeout=5))

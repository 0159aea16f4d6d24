"""Rounds over many executions: few requests, and nothing made anew."""

import math
import random
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import define, field
from tests.fake_transport import answer

from aioruns.errors import ServerFailure, Unreadable
from aioruns.platforms.cloudify import states
from aioruns.seam import RunRef, RunState

CREATED = "2024-05-01T10:00:00.000Z"


@define
class Tenant:
    """Executions, oldest first, as pairs of id and status; answers lists of them."""

    rows: list
    asked: list = field(factory=list)
    between: object = None
    failing_after: int = -1

    def __call__(self, url):
        pairs = parse_qsl(urlsplit(url).query)
        asked = dict(pairs)
        ids = [value for name, value in pairs if name == "id"]
        self.asked.append(len(ids))
        fields = asked["_include"].split(",")
        if ids:
            known = set(ids)
            rows = [row for row in self.rows if row[0] in known]
        else:
            assert fields == ["id", "status"]
            rows = list(reversed(self.rows))
        start, size = int(asked.get("_offset", 0)), int(asked["_size"])
        items = [
            {"id": one, "status": text, "error": "boom", "created_at": CREATED}
            for one, text in rows[start : start + size]
        ]
        items = [{name: item.get(name) for name in fields} for item in items]
        if self.between is not None:
            self.between(self)
        return {"items": items, "metadata": {"pagination": {"total": len(rows)}}}

    def put(self, run_id, text):
        index = next(n for n, row in enumerate(self.rows) if row[0] == run_id)
        self.rows[index] = (run_id, text)

    def requests(self):
        count, self.asked = len(self.asked), []
        return count

    async def send(self, method, url, *_):
        if self.failing_after == 0:
            return answer(500, body=b"oops")
        self.failing_after -= 1
        return answer(200, self(url))

    async def aclose(self):
        pass


@pytest.fixture
def tenant():
    return Tenant([(f"e-{n}", "started") for n in range(3000)])


@pytest.fixture
def transport(tenant, monkeypatch):
    monkeypatch.setattr("aioruns.session.AiohttpTransport", lambda *_: tenant)


@pytest.fixture
def read(scripted):
    """Reads as a watcher does, which keeps what it was told."""
    known = {}

    async def read(refs):
        found = await scripted.runs.platform.read_states(refs, known)
        known.update(found)
        return found

    read.known = known
    return read


def refs_of(*numbers):
    return [RunRef("d", f"e-{number}") for number in numbers]


async def test_a_round_reads_pages_and_makes_nothing_anew(tenant, read):
    refs = refs_of(*range(3000))
    found = await read(refs)
    assert tenant.requests() == 3
    assert {status.text for status in found.values()} == {"started"}
    assert found.keys() == set(refs)
    again = await read(refs)
    assert tenant.requests() == 3
    assert all(again[ref] is found[ref] for ref in refs)
    fewer = await read(refs[5:])
    assert fewer.keys() == set(refs[5:])
    assert all(fewer[ref] is found[ref] for ref in refs[5:])


async def test_an_end_is_read_with_its_reason(tenant, read):
    refs = refs_of(*range(3000))
    before = await read(refs)
    tenant.put("e-7", "failed")
    tenant.put("e-8", "cancelling")
    tenant.requests()
    found = await read(refs)
    assert tenant.asked == [0, 0, 0, 1]
    status = found[refs[7]]
    assert (status.state, status.reason) == (RunState.FAILED, "boom")
    assert status.created is not None
    assert found[refs[8]].text == "cancelling"
    assert sum(found[ref] is not before[ref] for ref in refs) == 2
    tenant.requests()
    again = await read(refs)
    assert tenant.requests() == 3  # what has ended is known
    assert again[refs[7]] is status


async def test_paging_stops_when_all_were_seen(tenant, read):
    found = await read(refs_of(*range(2500, 3000)))
    assert len(found) == 500
    assert tenant.requests() == 1


async def test_a_few_are_read_by_their_ids(tenant, read):
    assert len(await read(refs_of(*range(240)))) == 240
    assert tenant.asked == [80, 80, 80]


async def test_runs_that_fell_off_are_read_by_their_ids(tenant, read):
    tenant.rows += [(f"other-{n}", "started") for n in range(20_000)]
    refs = refs_of(*range(500), *range(900, 950))
    tenant.rows += [(f"e-new-{n}", "queued") for n in range(600)]
    refs += [RunRef("d", f"e-new-{n}") for n in range(600)]
    found = await read(refs)
    assert found.keys() == set(refs)
    assert tenant.requests() <= math.ceil(len(refs) / 80) + 1


async def test_pages_that_bring_nothing_are_not_asked_for_again(tenant, read):
    tenant.rows += [(f"other-{n}", "started") for n in range(20_000)]
    refs = refs_of(*range(800))
    for _ in range(20):
        assert len(await read(refs)) == 800
    assert tenant.requests() <= 20 * 10 + 1


async def test_a_run_that_is_gone_is_left_out(tenant, read):
    refs = [*refs_of(*range(1000)), RunRef("d", "gone")]
    tenant.rows.append(("gone", "started"))
    assert refs[-1] in await read(refs)
    tenant.rows.pop()
    for _ in range(2):
        tenant.requests()
        found = await read(refs)
        assert refs[-1] not in found
        assert len(found) == 1000
        assert tenant.asked[-1] == 1


async def test_executions_that_start_meanwhile_hide_none(tenant, read):
    numbers = iter(range(10**6))

    def start(tenant):
        tenant.rows += [(f"other-{next(numbers)}", "started") for _ in range(7)]

    tenant.between = start
    refs = refs_of(*range(2900))
    for _ in range(3):
        assert len(await read(refs)) == 2900


async def test_executions_that_are_deleted_meanwhile_hide_none(tenant, read):
    def delete(tenant):
        del tenant.rows[-50:]

    refs = refs_of(*range(2000))
    tenant.between = delete
    found = await read(refs)
    assert len(found) == 2000
    assert tenant.asked[-1] > 0


@pytest.mark.parametrize("place", [6, 3000])
@pytest.mark.parametrize(
    ("other", "text"), [("started", "started"), ("failed", "terminated")]
)
async def test_several_executions_of_one_id(tenant, read, other, text, place):
    """wire/cloudify.md 6.2: they have ended when all have; the oldest tells how."""
    refs = refs_of(*range(3000))
    await read(refs)
    tenant.put("e-5", "terminated")
    tenant.rows.insert(place, ("e-5", other))
    found = await read(refs)
    assert found[refs[5]].text == text


@pytest.mark.parametrize("seed", range(10))
async def test_an_id_has_ended_when_all_executions_of_it_have(tenant, read, seed):
    rng = random.Random(seed)
    refs = refs_of(*range(3000))
    twins = [f"e-{number}" for number in rng.sample(range(3000), 20)]
    for one in twins:
        tenant.rows.insert(rng.randrange(len(tenant.rows)), (one, "started"))
    open_ = [n for n, row in enumerate(tenant.rows) if row[0] in twins]
    rng.shuffle(open_)
    while open_:
        for _ in range(rng.randrange(5)):
            if open_:
                number = open_.pop()
                ended = rng.choice(["terminated", "failed"])
                tenant.rows[number] = (tenant.rows[number][0], ended)
        found = await read(refs)
        for one in twins:
            texts = [text for run_id, text in tenant.rows if run_id == one]
            text = "started" if "started" in texts else texts[0]
            assert found[RunRef("d", one)].text == text


async def test_one_execution_by_two_deployments(tenant, read):
    refs = [*refs_of(*range(500)), RunRef("other", "e-3")]
    await read(refs)
    tenant.put("e-3", "failed")
    found = await read(refs)
    assert len(found) == 501
    assert found[refs[3]].text == found[refs[-1]].text == "failed"
    assert found[refs[-1]].ref == refs[-1]


async def test_what_others_heard_is_told_again_by_the_manager(tenant, read):
    """A page is newer than what the watcher was told by somebody else."""
    refs = refs_of(*range(1000))
    await read(refs)
    tenant.put("e-1", "cancelling")
    assert (await read(refs))[refs[1]].text == "cancelling"
    tenant.put("e-1", "started")
    assert (await read(refs))[refs[1]].text == "started"


async def test_a_word_of_another_shape_is_said_to_be_that(tenant, read):
    refs = refs_of(*range(1000))
    tenant.put("e-1", ["started"])
    with pytest.raises(Unreadable, match=re.escape("items[0].status")):
        await read(refs)
    tenant.put("e-1", "started")
    assert len(await read(refs)) == 1000


async def test_a_round_that_failed_leaves_nothing_behind(tenant, read):
    refs = refs_of(*range(3000))
    await read(refs)
    tenant.put("e-2999", "failed")
    tenant.failing_after = 2
    with pytest.raises(ServerFailure):
        await read(refs)
    tenant.failing_after = -1
    assert (await read(refs))[refs[2999]].text == "failed"


async def test_nothing_is_asked_more_often_than_by_ids(tenant, read):
    """On average, whatever lies between those that are followed."""
    for step in (1, 2, 5, 11):
        refs = refs_of(*range(0, 3000, step))
        tenant.requests()
        for _ in range(states._RESTS + 1):
            assert len(await read(refs)) == len(refs)
        rounds = states._RESTS + 1
        assert tenant.requests() / rounds <= math.ceil(len(refs) / 80) + 1

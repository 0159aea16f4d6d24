"""Logs that arrive late, long logs, and their deletion (wire/cloudify.md 2.8, 4.2)."""

import asyncio
import time
from datetime import datetime, timedelta

import aiohttp
import pytest
from tests.local.test_cloudify import ENDED, HEADERS, Api, Programs

LINES = 60


@pytest.fixture
async def api(server):
    programs, facade = Programs(), server.cloudify
    facade.register("web", "echo", programs.echo)
    facade.register("db", "echo", programs.echo)

    async def chatter(job):
        for n in range(LINES):
            await job.log(f"line {n}")
            await asyncio.sleep(0.005)

    async def many(job):
        for n in range(int(job.env["N"])):
            await job.log(str(n))

    facade.register("web", "chatter", chatter)
    facade.register("web", "many", many)
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Api(session, programs, facade)


def key(row):
    return row["type"], row["_storage_id"]


class Follower:
    """Polls the events of one execution in one of the ways of 4.2."""

    def __init__(self, api, execution):
        self.api = api
        self.id = execution["id"]
        self.seen = []

    async def poll(self):
        raise NotImplementedError

    async def follow(self):
        while True:
            status = (await self.api.get(f"/executions/{self.id}"))["status"]
            await self.poll()
            if status in ENDED:
                return self.seen
            await asyncio.sleep(0.01)


class ByRange(Follower):
    """The recommended one."""

    field = "reported_timestamp"
    overlap = 0.0
    cursor = None

    async def poll(self):
        query = f"execution_id={self.id}&_sort={self.field}&_size=7"
        if self.cursor:
            since = self.cursor - timedelta(seconds=self.overlap)
            query += f"&_range={self.field},{since:%Y-%m-%dT%H:%M:%S.%f},"
        offset = 0
        while True:
            rows = await self.api.rows(f"{query}&_offset={offset}")
            self.seen += [row for row in rows if key(row) not in map(key, self.seen)]
            offset += len(rows)
            if len(rows) < 7:
                break
        if self.seen:
            self.cursor = datetime.fromisoformat(
                max(row[self.field] for row in self.seen)
            )


class ByTimestamp(ByRange):
    field = "timestamp"


class ByOffset(Follower):
    """The pattern of the official client."""

    sort = "@timestamp"

    async def poll(self):
        query = f"execution_id={self.id}&_sort={self.sort}&_offset={len(self.seen)}"
        self.seen += await self.api.rows(query)


class ByReportedOffset(ByOffset):
    sort = "reported_timestamp"


async def outcome(api, kind):
    """Rows that are missing, and rows that came twice."""
    started = await api.start("chatter")
    seen = [key(row) for row in await kind(api, started).follow()]
    there = {key(row) for row in await api.rows(f"execution_id={started['id']}")}
    assert len(there) == LINES + 2
    return len(there - set(seen)), len(seen) - len(set(seen))


@pytest.mark.parametrize("seed", [0, 1])
async def test_what_followers_miss(api, seed):
    api.facade.event_delay = 0.08
    api.facade.event_seed = seed
    assert await outcome(api, ByRange) == (0, 0)
    assert await outcome(api, ByReportedOffset) == (0, 0)
    missing, repeated = await outcome(api, ByOffset)
    assert missing >= 3
    assert repeated >= 3
    missing, _ = await outcome(api, ByTimestamp)
    assert missing >= 3


async def test_without_delay_nobody_misses_anything(api):
    for kind in (ByRange, ByTimestamp, ByOffset, ByReportedOffset):
        assert await outcome(api, kind) == (0, 0)


async def test_rows_keep_their_times(api):
    api.facade.event_delay = 0.05
    started = await api.start("chatter")
    known = {}
    while (await api.get(f"/executions/{started['id']}"))["status"] not in ENDED:
        for row in await api.rows(f"execution_id={started['id']}"):
            assert known.setdefault(key(row), row) == row
    rows = await api.rows(f"execution_id={started['id']}&_sort=reported_timestamp")
    for row in rows:
        assert known.setdefault(key(row), row) == row
        assert row["timestamp"] <= row["reported_timestamp"]
    assert any(row["timestamp"] < row["reported_timestamp"] for row in rows)
    stamps = [row["timestamp"] for row in rows]
    assert stamps != sorted(stamps)
    ended = await api.until(started)
    # what was said before the end is there at the end
    assert all(row["reported_timestamp"] <= ended["ended_at"] for row in rows[:-1])


async def test_seed_decides_the_delays(api):
    api.facade.event_delay = 0.05
    ended = await api.until(await api.start("chatter"))

    async def reported():
        rows = await api.rows(f"execution_id={ended['id']}&_sort=_storage_id")
        return [row["reported_timestamp"] for row in rows]

    first = await reported()
    assert await reported() == first
    api.facade.event_seed = 5
    assert await reported() != first


async def test_created_rows_are_there_at_once(api):
    api.facade.event_delay = 5
    made = await api.start("echo", force_status="started")
    log = {"message": {"text": "x"}, "context": {}, "level": "info", "logger": "x"}
    late = log | {"timestamp": "2024-05-01T10:00:00Z"}
    body = {"execution_id": made["id"], "logs": [log, late]}
    await api.call("POST", "/events", status=201, body=body)
    rows = await api.rows(f"execution_id={made['id']}")
    assert rows[0]["timestamp"] == "2024-05-01T10:00:00.000Z"
    assert rows[0]["reported_timestamp"] == rows[1]["reported_timestamp"]


# -- long logs -----------------------------------------------------------------------


async def test_pages_of_a_long_log(api):
    count = 20_000
    ended = await api.until(await api.start("many", parameters={"n": count}))
    query = f"/events?execution_id={ended['id']}&_sort=reported_timestamp"
    found, began = [], time.monotonic()
    while True:
        page = await api.get(f"{query}&_size=1000&_offset={len(found)}")
        assert page["metadata"]["pagination"]["total"] == count + 2
        if not page["items"]:
            break
        found += page["items"]
    assert time.monotonic() - began < 10
    logs = [row["message"] for row in found if row["type"] == "cloudify_log"]
    assert logs == [str(n) for n in range(count)]
    assert len(set(map(key, found))) == count + 2

    # the same rows in the same order, whichever way they are asked for
    whole = await api.get(f"{query}&_get_all_results=true&_size=1")
    assert whole["items"] == found
    logs_only = await api.get(f"{query}&type=cloudify_log&_size=3&_offset=5")
    assert [row["message"] for row in logs_only["items"]] == ["5", "6", "7"]
    assert logs_only["metadata"]["pagination"]["total"] == count

    since = found[-100]["reported_timestamp"]
    late = await api.get(f"{query}&_range=reported_timestamp,{since},")
    wanted = [row for row in found if row["reported_timestamp"] >= since]
    assert late["items"] == wanted
    assert late["metadata"]["pagination"]["total"] == len(wanted)


async def test_told_times_are_found_all_the_same(api):
    made = await api.start("echo", force_status="started")
    log = {"message": {"text": "x"}, "context": {}, "level": "info", "logger": "x"}
    for second in (3, 1, 2):
        told = log | {"reported_timestamp": f"2024-05-01T10:00:0{second}Z"}
        body = {"execution_id": made["id"], "logs": [told]}
        await api.call("POST", "/events", status=201, body=body)
    query = f"execution_id={made['id']}&_sort=reported_timestamp"
    rows = await api.rows(query)
    assert [row["reported_timestamp"][18] for row in rows] == ["1", "2", "3"]
    rows = await api.rows(f"{query}&_range=reported_timestamp,2024-05-01T10:00:02,")
    assert [row["reported_timestamp"][18] for row in rows] == ["2", "3"]


# -- deletion ------------------------------------------------------------------------


async def test_deletes_events_of_a_deployment(api):
    web = await api.until(await api.start("echo"))
    db = await api.until(await api.start("echo", "db"))
    path = "/events?deployment_id=web&type=cloudify_event"
    # other filters than times are not looked at
    answer = await api.call("DELETE", f"{path}&message=none&_size=1")
    assert answer == {
        "items": [2],
        "metadata": {"pagination": {"size": 1, "offset": 0, "total": 2}},
    }
    assert len(await api.rows(f"execution_id={web['id']}")) == 3
    assert len(await api.rows(f"execution_id={db['id']}")) == 5
    both = f"{path}&type=cloudify_log"
    never = f"{both}&_range=@timestamp,,2020-01-01"
    assert (await api.call("DELETE", never))["items"] == [0]
    assert (await api.call("DELETE", both))["items"] == [3]
    assert await api.rows(f"execution_id={web['id']}") == []


async def test_refuses_deletions(api):
    for path in ("/events?deployment_id=web", "/events?type=cloudify_log"):
        await api.refused("DELETE", path, 400, "bad_parameters_error")
    answer = await api.call("DELETE", "/events?type=cloudify_event", status=500)
    assert answer["error_code"] == "internal_server_error"
    path = "/events?deployment_id=web&type=cloudify_event&colour=red"
    await api.refused("DELETE", path, 400, "bad_parameters_error")

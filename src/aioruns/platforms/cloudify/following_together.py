"""The logs of many executions in one request (wire/cloudify.md 4.2, 7.)."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from aioruns.platforms.cloudify import requests
from aioruns.platforms.cloudify.following import Reader, page_of
from aioruns.platforms.cloudify.places import Place
from aioruns.seam import LogPage, Position, RunRef
from aioruns.together import each

AT_ONCE = 60
"""Executions in one request: their ids take 50 of the 4094 bytes that its first line
may have (wire/cloudify.md 1.6)."""

_APART = 30_000
"""Milliseconds: logs that are read to places further apart are read in requests of
their own, since the rows in between would come again and again."""

_LOUD = 3
"""Logs that fill a page, and are then left out so that the others need not wait."""


async def read_together(
    reader: Reader, positions: Mapping[RunRef, Position | None]
) -> Mapping[RunRef, LogPage]:
    """Read the logs of several executions, each from its position on.

    Executions that are at about the same time share a request.
    """
    places = {ref: Place.of(position) for ref, position in positions.items()}
    found: dict[RunRef, LogPage] = {}

    async def work(refs: Sequence[RunRef]) -> None:
        found.update(await _read(reader, {ref: places[ref] for ref in refs}, _LOUD))

    await each([part for group in _near(places) for part in _fitting(group)], work)
    return found


def _near(places: Mapping[RunRef, Place]) -> list[list[RunRef]]:
    """Divide runs into those that are at about the same time."""
    times = {ref: place.since or 0 for ref, place in places.items()}
    groups: list[list[RunRef]] = []
    last = 0
    for ref in sorted(times, key=times.__getitem__):
        if places[ref].skip:
            groups.insert(0, [ref])  # an offset is for one log
            continue
        if not groups or times[ref] - last > _APART:
            groups.append([])
        groups[-1].append(ref)
        last = times[ref]
    return groups


def _fitting(refs: Sequence[RunRef]) -> list[list[RunRef]]:
    """Divide runs so that their ids fit into one request line."""
    by_id: dict[str, list[RunRef]] = {}
    for ref in refs:
        by_id.setdefault(ref.id, []).append(ref)
    parts = requests.chunks(by_id, AT_ONCE, "execution_id")
    return [[ref for run_id in part for ref in by_id[run_id]] for part in parts]


async def _read(
    reader: Reader, places: Mapping[RunRef, Place], loud: int
) -> dict[RunRef, LogPage]:
    run_ids = list(dict.fromkeys(ref.id for ref in places))
    if len(run_ids) == 1:
        return {
            ref: await reader.read(ref.id, place.position())
            for ref, place in places.items()
        }
    starts = [place.since for place in places.values() if place.since is not None]
    since = min(starts) if len(starts) == len(places) else None
    seen = sum(len(place.seen) for place in places.values())
    sent = reader.settling.clock.now()
    rows = await reader.rows(run_ids, Place(since), seen)
    if not rows:
        settled, through = reader.settling.until(sent), None
    else:
        settled = reader.settled(rows, sent)
        cut = len(rows) < rows.total
        through = rows.time(len(rows) - 1) if cut else None
    of_run: dict[object, list[int]] = {run_id: [] for run_id in run_ids}
    for index in range(len(rows)):
        of_run.setdefault(rows.rows[index].run, []).append(index)

    def page(ref: RunRef) -> LogPage:
        place, indices = places[ref], of_run[ref.id]
        begin = bisect_left(indices, place.since or 0, key=rows.time)
        return page_of(place, rows.pick(indices[begin:]), settled, through)

    if through is None or not loud:
        return {ref: page(ref) for ref in places}
    # One log alone may fill pages; the others come without it.
    fullest = max(run_ids, key=lambda run_id: len(of_run[run_id]))
    others = {ref: place for ref, place in places.items() if ref.id != fullest}
    found = await _read(reader, others, loud - 1)
    return found | {ref: page(ref) for ref in places if ref.id == fullest}

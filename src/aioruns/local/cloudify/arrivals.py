"""When rows arrive: workers stamp them first, and send them a while later.

wire/cloudify.md 4.2: with several writers rows are inserted behind positions that were
read already.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from aioruns.local.cloudify.defects import Behaviour
from aioruns.local.cloudify.naming import EVENT
from aioruns.local.records import Json, Line, RunRecord

_MOMENT = timedelta(milliseconds=5)
_PROGRAM = frozenset({"stdout", "stderr"})


class Arrivals:
    """When each line is inserted; the same seed and lines give the same times."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    @property
    def latest(self) -> timedelta:
        """The longest time between stamp and insertion."""
        return timedelta(seconds=self._behaviour.event_delay)

    @property
    def at_once(self) -> bool:
        """Whether every row can be read as soon as it is stamped."""
        return not (self._behaviour.event_delay or self._behaviour.commit_delay)

    def shown(self, line: Line, inserted: datetime) -> datetime:
        """When an inserted row can be read, which is when its transaction ends."""
        share = _share("shown", self._behaviour.event_seed, line)
        return inserted + share * timedelta(seconds=self._behaviour.commit_delay)

    def inserted(
        self, record: RunRecord, line: Line, noted: Mapping[str, Json] | None
    ) -> datetime:
        """When the manager gets a line; in the future it is not there yet."""
        if not self._behaviour.event_delay:
            return line.time
        sent = line.stream == EVENT and noted is not None and noted.get("sent")
        if line.stream not in _PROGRAM and not sent:
            return line.time  # created by a request, or by the manager
        share = _share("", self._behaviour.event_seed, line)
        arrived = line.time + share * self.latest
        # The worker sends all that it has before it reports the end (3.2.1), and what
        # it writes of the end itself is stamped a moment later.
        ends = (when for when, state in record.history if state.final)
        for end in ends:
            if line.time <= end + _MOMENT:
                return max(line.time, min(arrived, end))
        return arrived


def _share(purpose: str, seed: int, line: Line) -> float:
    # Of consecutive numbers a checksum alone is no chance.
    text = f"{purpose}{seed}/{line.serial}/{line.serial * 7919}"
    return zlib.crc32(text.encode()) / 2**32

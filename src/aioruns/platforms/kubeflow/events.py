"""Log lines into events, many at once."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

import attrs

from aioruns.seam import LogEvent

_Setter = Callable[[LogEvent, Any], None]


def _setter(name: str) -> _Setter:
    made: _Setter = vars(LogEvent)[name].__set__
    return made


_SETTERS = tuple(_setter(one.name) for one in attrs.fields(LogEvent))


def events_of(received: datetime, lines: Sequence[str], source: str) -> list[LogEvent]:
    """The events of lines that came together.

    Their fields are set through the slots, all of a kind in one go: calling the class
    for every line would take most of the time of reading a long log.
    """
    events = list(map(LogEvent.__new__, repeat(LogEvent, len(lines))))
    values = (repeat(received), lines, repeat(source))
    for setter, field in zip(_SETTERS, values, strict=True):
        deque(map(setter, events, field), maxlen=0)
    return events

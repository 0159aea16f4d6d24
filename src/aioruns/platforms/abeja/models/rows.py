"""As much of a run as listings are read for: their pages are read often."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from attrs import define, field, frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import converter, parse_time, read_straight
from aioruns.platforms.abeja.models.text import object_or_text


# Not frozen: that would double what it costs, and one is made for every read.
@define
class RunRow:
    """As much of a run as polling needs."""

    run_id: str
    status: str
    created_at: datetime | None = None
    modified_at: datetime | None = None


_by_plan = converter.get_structure_hook(RunRow)


def take_row(row: Any) -> RunRow | None:
    """A row by hand, in half of the time; None if it is not as documented."""
    try:
        run_id, status = row["run_id"], row["status"]
        created, modified = row.get("created_at"), row.get("modified_at")
        if type(run_id) is type(status) is str:
            return RunRow(
                run_id,
                status,
                None if created is None else parse_time(created),
                None if modified is None else parse_time(modified),
            )
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    return None


def _run_row(value: Any, kind: object) -> RunRow:
    made: RunRow = take_row(value) or _by_plan(value, kind)  # says what is wrong
    return made


def _straight_row(body: bytes) -> RunRow | None:
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return take_row(value)


read_straight(RunRow, _straight_row)
converter.register_structure_hook(RunRow, _run_row)


# Not frozen: that would double what it costs, and every submission gets one.
@define
class Accepted:
    """As much of a new run as a submission needs.

    Attributes:
        run_id: The run.
        created_at: When it was created, as it came.
    """

    run_id: str
    created_at: str | None


class _Answer(Struct, gc=False):
    run_id: str
    status: str
    created_at: str | None = None


_decode_answer = Decoder(_Answer).decode


def _straight_accepted(body: bytes) -> Accepted | None:
    # Of all that comes, no objects are made but these.
    try:
        answer = _decode_answer(body)
    except MsgspecError:
        return None
    return Accepted(answer.run_id, answer.created_at)


def _accepted(value: Any, kind: object) -> Accepted:
    row: RunRow = _by_plan(value, kind)  # says what is wrong
    return Accepted(row.run_id, value.get("created_at"))


read_straight(Accepted, _straight_accepted)
converter.register_structure_hook(Accepted, _accepted)


@frozen
class MarkedRow:
    """As much of a run as finding a submission needs."""

    run_id: str
    created_at: datetime | None = None
    user_env_vars: Any = field(default=None, converter=object_or_text, repr=False)


@frozen
class MarkedRows:
    """A page of runs for finding a submission."""

    # Without a default: what has no entries says nothing of the run that is looked for.
    entries: Sequence[MarkedRow]
    next_page_token: str | None = None

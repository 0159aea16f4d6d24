"""One run's metadata, as far as its state is read from it (wire/nextmv.md 4.2)."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import define

from aioruns.http.codec import converter, parse_time, read_straight
from aioruns.platforms.nextmv.models.information import RunInformation
from aioruns.platforms.nextmv.states import STATES
from aioruns.seam import RunRef, RunState, Status


# Not frozen: that would double what it costs, and one is made for every read.
@define
class SingleState:
    """What a run's metadata say of its state.

    Attributes:
        text: The platform's word for it.
        reason: Why the run failed; may be empty.
        created: When the platform accepted it.
        started: When it began to run.
        took: Milliseconds for which it ran.
    """

    text: str
    reason: str
    created: datetime | None
    started: datetime | None
    took: float

    def of(self, ref: RunRef) -> Status:
        """The status of this run."""
        state = STATES.get(self.text, RunState.UNKNOWN)
        ended = None
        if self.created is not None and state.final:
            # Both are cut to milliseconds, so a short run could end before it began.
            ended = max(
                self.created + timedelta(milliseconds=self.took),
                self.started or self.created,
            )
        return Status(
            ref, state, self.text, self.reason, self.created, self.started, ended
        )


def _straight(body: bytes) -> SingleState | None:
    try:
        found = orjson.loads(body)["metadata"]
        get = found.get
        text, reason = found["status_v2"], get("error") or ""
        created, started = get("created_at"), get("initiated_at")
        took = get("duration") or 0
        if type(text) is type(reason) is str and type(took) in {int, float}:
            return SingleState(
                text,
                reason,
                None if created is None else parse_time(created),
                None if started is None else parse_time(started),
                took,
            )
    except (AttributeError, LookupError, TypeError, ValueError):
        pass
    return None


def _single_state(value: Any, _: object) -> SingleState:
    run = converter.structure(value, RunInformation).metadata
    return SingleState(
        str(run.status_v2), run.error, run.created_at, run.initiated_at, run.duration
    )


read_straight(SingleState, _straight)
converter.register_structure_hook(SingleState, _single_state)

"""One run's metadata, as far as its state is read from it (wire/nextmv.md 4.2)."""

from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from aioruns.http.codec import converter, parse_time
from aioruns.platforms.nextmv.models.information import RunInformation
from aioruns.platforms.nextmv.states import state_of
from aioruns.seam import RunRef, Status

_NOBODY = RunRef("", "")


@frozen
class SingleState:
    """What a run's metadata say of its state.

    Attributes:
        status: The status, of a run that is not named.
    """

    status: Status

    def of(self, ref: RunRef) -> Status:
        """The status of this run."""
        one = self.status
        return Status(
            ref, one.state, one.text, one.reason, one.created, one.started, one.ended
        )


def _single_state(value: Any, _: object) -> SingleState:
    try:
        found = value["metadata"]
        text, reason = found["status_v2"], found.get("error") or ""
        created, started = found.get("created_at"), found.get("initiated_at")
        took = found.get("duration") or 0
        if type(text) is type(reason) is str and type(took) in {int, float}:
            return SingleState(
                _status(
                    text,
                    reason,
                    None if created is None else parse_time(created),
                    None if started is None else parse_time(started),
                    took,
                )
            )
    except (AttributeError, KeyError, TypeError, ValueError):
        pass  # the models say what is wrong
    run = converter.structure(value, RunInformation).metadata
    return SingleState(
        _status(
            str(run.status_v2),
            run.error,
            run.created_at,
            run.initiated_at,
            run.duration,
        )
    )


def _status(
    text: str,
    reason: str,
    created: datetime | None,
    started: datetime | None,
    took: float,
) -> Status:
    state = state_of(text)
    ended = None
    if state.final and created is not None:
        # Both are cut to milliseconds, so a short run could end before it began.
        ended = max(created + timedelta(milliseconds=took), started or created)
    return Status(_NOBODY, state, text, reason, created, started, ended)


converter.register_structure_hook(SingleState, _single_state)

"""Lists of runs, as far as states are read from them (wire/nextmv.md 4.2, 8.1).

Thousands of rows come in every round of waiting, and most say what was known before. So
no object is made of a row whose word has not changed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.errors import Unreadable
from aioruns.http.codec import converter, parse_time, read_straight
from aioruns.platforms.nextmv.models.runs import RunPage
from aioruns.platforms.nextmv.states import state_of
from aioruns.seam import RunRef, RunState, Status


@frozen
class StateRows:
    """One answer with many runs.

    Attributes:
        ids: The runs' ids.
        texts: The platform's word for each.
        created: When each was created, as it came.
        token: What to ask for the next page with; None at the end.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    created: Sequence[object]
    token: str | None

    @property
    def without_times(self) -> "StateRows":
        """What is worth remembering of it."""
        return StateRows(self.ids, self.texts, (), self.token)

    def statuses(
        self, wanted: Mapping[str, RunRef], known: Mapping[RunRef, Status]
    ) -> dict[RunRef, Status]:
        """The states of those runs that are wanted.

        Args:
            wanted: Runs by their ids.
            known: What was known of them; taken as it is where it still holds.

        Raises:
            Unreadable: A run's time of creation is not a time.
        """
        found: dict[RunRef, Status] = {}
        rows = zip(self.ids, self.texts, self.created, strict=True)
        for run_id, text, created in rows:
            ref = wanted.get(run_id)
            if ref is not None:
                status = known.get(ref)
                if status is None or status.text != text:
                    time = _created(run_id, created)
                    status = Status(ref, state_of(text), text, created=time)
                found[ref] = status
        return found


def failed_since(
    known: Mapping[RunRef, Status], found: Mapping[RunRef, Status]
) -> list[RunRef]:
    """Runs of which it was not known that they have failed: lists do not say why."""
    return [
        ref
        for ref, status in found.items()
        if status.state is RunState.FAILED and known.get(ref) is not status
    ]


class _Row(Struct, gc=False):
    id: str
    status_v2: str
    # Times are read, and checked, only of runs whose word has changed.
    created_at: str | None = None


class _Page(Struct, gc=False):
    runs: list[_Row] | None = None
    next_page_token: str | None = None


_decode = Decoder(_Page).decode


def _straight(body: bytes) -> StateRows | None:
    try:
        page = _decode(body)
    except MsgspecError:
        return None
    rows = page.runs or ()
    return StateRows(
        [row.id for row in rows],
        [row.status_v2 for row in rows],
        [row.created_at for row in rows],
        page.next_page_token,
    )


def _state_rows(value: Any, _: object) -> StateRows:
    rows = [] if value.get("runs") is None else value["runs"]
    try:
        token = value.get("next_page_token")
        if type(rows) is list and (token is None or type(token) is str):
            ids = [row["id"] for row in rows]
            texts = [row["status_v2"] for row in rows]
            if {*map(type, ids), *map(type, texts)} <= {str}:
                return StateRows(
                    ids, texts, [row.get("created_at") for row in rows], token
                )
    except (AttributeError, KeyError, TypeError):
        pass  # the models say what is wrong
    if type(rows) is not list:
        raise TypeError(f"runs must be an array, not {type(rows).__name__}")
    page = converter.structure(value, RunPage)
    made = page.runs or []
    return StateRows(
        [row.id for row in made],
        [row.status_v2 for row in made],
        [_text(row.created_at) for row in made],
        page.next_page_token,
    )


def _created(run_id: str, text: object) -> datetime | None:
    try:
        return None if text is None else parse_time(text)  # type: ignore[arg-type]  # refused
    except (TypeError, ValueError) as error:
        raise Unreadable(
            f"the list of runs cannot be read: run {run_id!r} was created at "
            f"{text!r}, which is not a time"
        ) from error


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


read_straight(StateRows, _straight)
converter.register_structure_hook(StateRows, _state_rows)

"""Lists of runs, as far as states are read from them (wire/nextmv.md 4.2, 8.1).

Thousands of rows come in every round of waiting, and most say what was known before. So
no object is made of a row whose word has not changed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from aioruns.errors import Unreadable
from aioruns.http.codec import Json, converter, parse_time
from aioruns.platforms.nextmv.models.runs import RunPage
from aioruns.platforms.nextmv.states import state_of
from aioruns.seam import RunRef, RunState, Status


@frozen
class StateRows:
    """One answer with many runs.

    Attributes:
        ids: The runs' ids.
        texts: The platform's word for each.
        rows: What else is known of each.
        token: What to ask for the next page with; None at the end.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    rows: Sequence[Json]
    token: str | None

    @property
    def without_rows(self) -> "StateRows":
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
        for run_id, text, row in zip(self.ids, self.texts, self.rows, strict=True):
            ref = wanted.get(run_id)
            if ref is not None:
                status = known.get(ref)
                if status is None or status.text != text:
                    status = Status(ref, state_of(text), text, created=_created(row))
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


def _state_rows(value: Any, _: object) -> StateRows:
    rows = [] if value.get("runs") is None else value["runs"]
    try:
        token = value.get("next_page_token")
        if type(rows) is list and (token is None or type(token) is str):
            ids = [row["id"] for row in rows]
            texts = [row["status_v2"] for row in rows]
            # Times are read, and checked, only of runs whose word has changed.
            if {*map(type, ids), *map(type, texts)} <= {str}:
                return StateRows(ids, texts, rows, token)
    except (KeyError, TypeError):
        pass  # the models say what is wrong
    if type(rows) is not list:
        raise TypeError(f"runs must be an array, not {type(rows).__name__}")
    page = converter.structure(value, RunPage)
    made = page.runs or []
    return StateRows(
        [row.id for row in made],
        [row.status_v2 for row in made],
        [{"id": row.id, "created_at": _text(row.created_at)} for row in made],
        page.next_page_token,
    )


def _created(row: Json) -> datetime | None:
    text = row.get("created_at")
    try:
        return None if text is None else parse_time(text)
    except (TypeError, ValueError) as error:
        raise Unreadable(
            f"the list of runs cannot be read: run {row['id']!r} was created at "
            f"{text!r}, which is not a time"
        ) from error


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


converter.register_structure_hook(StateRows, _state_rows)

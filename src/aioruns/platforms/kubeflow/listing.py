"""Rows of a listing, read by hand: watching many runs looks at every one each round."""

from collections.abc import Mapping

from attrs import define, field

from aioruns.http.codec import Json, structure
from aioruns.platforms.kubeflow import statuses
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.models.polling import Row, RowV2
from aioruns.seam import RunRef, RunState, Status


@define(eq=False)
class Listing:
    """Takes the pages of a listing; a row whose word has not changed makes no object.

    Attributes:
        version: The REST version of the rows.
        by_id: The runs that were asked for.
        known: What was read of them before.
        found: Where to put what the rows say.
        failed: Runs that were not known to have failed.
    """

    version: Version
    by_id: Mapping[str, RunRef]
    known: Mapping[RunRef, Status]
    found: dict[RunRef, Status]
    failed: list[Status] = field(factory=list, init=False)

    def take(self, page: Json) -> None:
        """Take a page.

        Raises:
            ValueError: It is not of the documented form; the text says where.
        """
        v2 = self.version == "v2beta1"
        key, word = ("run_id", "state") if v2 else ("id", "status")
        by_id, known, found = self.by_id, self.known, self.found
        rows = page.get("runs") or ()
        if not isinstance(rows, list | tuple):
            raise ValueError("its runs are not a list")  # noqa: TRY004 - as the rest
        for row in rows:
            try:
                ref = by_id.get(row[key])
                text = row.get(word)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"a run in it has no text as {key}") from error
            if ref is None:
                if not isinstance(row[key], str):
                    raise ValueError(f"a run in it has no text as {key}")
                continue
            before = known.get(ref)
            # A run that the server cannot show has no word either, nor has one that is
            # new: only a word says that nothing has changed.
            if before is not None and text and before.text == text:
                found[ref] = before
            else:
                self._changed(ref, row)

    def _changed(self, ref: RunRef, row: Json) -> None:
        status = (
            statuses.from_row_v2(ref, structure(row, RowV2))
            if self.version == "v2beta1"
            else statuses.from_row(ref, structure(row, Row))
        )
        self.found[ref] = status
        if status.state is RunState.FAILED:
            self.failed.append(status)

"""Rows of a listing: watching many runs looks at every one each round."""

from collections.abc import Mapping, Sequence

from attrs import define, field
from msgspec.structs import asdict

from aioruns.http.codec import Json, structure
from aioruns.platforms.kubeflow import statuses
from aioruns.platforms.kubeflow.filters import Version
from aioruns.platforms.kubeflow.models.listed import ListedPage, ListedRow
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

    def take(self, page: ListedPage) -> None:
        """Take a page.

        Raises:
            ValueError: It is not of the documented form; the text says where.
        """
        if page.rows is None:
            self._take_value(page.value)
        else:
            self._take_rows(page.rows)

    def _take_rows(self, rows: Sequence[ListedRow]) -> None:
        by_id, known, found = self.by_id, self.known, self.found
        for row in rows:
            ref = by_id.get(row.id)
            if ref is None:
                continue
            before, text = known.get(ref), row.status
            # A run that the server cannot show has no word either, nor has one that is
            # new: only a word says that nothing has changed.
            if before is not None and text and before.text == text:
                found[ref] = before
            else:
                said = asdict(row).items()
                self._changed(ref, {k: v for k, v in said if v is not None})

    def _take_value(self, page: Json) -> None:
        """The same for rows of v2beta1, and for those that are to be looked at."""
        v2 = self.version == "v2beta1"
        key, word = ("run_id", "state") if v2 else ("id", "status")
        rows = page.get("runs") or ()
        if not isinstance(rows, list | tuple):
            raise ValueError("its runs are not a list")  # noqa: TRY004 - as the rest
        for row in rows:
            try:
                ref = self.by_id.get(row[key])
                text = row.get(word)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"a run in it has no text as {key}") from error
            if ref is None:
                if not isinstance(row[key], str):
                    raise ValueError(f"a run in it has no text as {key}")
                continue
            before = self.known.get(ref)
            if before is not None and text and before.text == text:
                self.found[ref] = before
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

"""Pages of what executions are at: their ids and the manager's word for each."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from aioruns.http.codec import converter
from aioruns.platforms.cloudify.models import ExecutionState, ListResponse


@frozen(eq=False)
class Words:
    """A page of executions.

    Attributes:
        words: Word by id; words are not looked at here, so that a round over many
            executions costs little. Of an id that came more than once, the last.
        count: Rows that came.
        total: Rows on all pages.
    """

    words: Mapping[str, str]
    count: int
    total: int


def _structure(value: Any, _: object) -> Words:
    try:
        items = value["items"]
        words = {row["id"]: row["status"] for row in items}
        total = value["metadata"]["pagination"]["total"] + 0  # a number
    except (AttributeError, KeyError, TypeError):
        # Says what is wrong and where; or takes a page without the usual metadata.
        page: ListResponse[ExecutionState] = converter.structure(
            value, ListResponse[ExecutionState]
        )
        total = page.metadata.pagination.total
        items = [{"id": row.id, "status": row.status} for row in page.items]
        words = {row.id: row.status for row in page.items}
    return Words(words, len(items), total)


converter.register_structure_hook(Words, _structure)

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
            executions costs little.
        twice: Ids that came more than once (wire/cloudify.md 6.2).
        count: Rows that came.
        total: Rows on all pages.
    """

    words: Mapping[str, str]
    twice: frozenset[str]
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
    twice: set[str] = set()
    if len(words) < len(items):
        once: set[str] = set()
        for row in items:
            (twice if row["id"] in once else once).add(row["id"])
    return Words(words, frozenset(twice), len(items), total)


converter.register_structure_hook(Words, _structure)

"""Which ended executions `DELETE /executions` forgets (wire/cloudify.md 2.7)."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from aioruns.local.cloudify.answers import Refusal, bad
from aioruns.local.cloudify.defects import Defects
from aioruns.local.cloudify.naming import ENVIRONMENT
from aioruns.local.cloudify.queries import plain_date
from aioruns.local.cloudify.statuses import ENDED, status_of
from aioruns.local.cloudify.views import created_at
from aioruns.local.records import Json, RunRecord


@frozen
class Choice:
    """What the body of a deletion asks for."""

    before: datetime | None = None
    keep: int = 0


def read(body: Mapping[str, Json]) -> Choice:
    """Check the body; both limits at once are refused."""
    if "to_datetime" in body and "keep_last" in body:
        raise bad("`to_datetime` and `keep_last` cannot be given together")
    if "keep_last" in body:
        keep = body["keep_last"]
        if isinstance(keep, bool) or not isinstance(keep, int) or keep <= 0:
            raise bad("`keep_last` must be an integer greater than 0")
        return Choice(keep=keep)
    if "to_datetime" in body:
        return Choice(before=plain_date(body["to_datetime"], "to_datetime"))
    return Choice()


def doomed(
    matching: list[RunRecord], choice: Choice, defects: Defects
) -> list[RunRecord]:
    """The ended executions to forget, oldest first."""
    ended = [record for record in matching if status_of(record) in ENDED]
    ended.sort(key=created_at)
    if choice.before is not None:
        ended = [record for record in ended if created_at(record) < choice.before]
    # The last successful creation of a deployment's environment stays.
    kept = {record.scope: record for record in ended if _made_environment(record)}
    if choice.keep:
        least = 1 if defects.keep_last_deletes_one else 0
        ended = ended[: max(least, len(ended) - choice.keep)]
    if defects.lone_environment_breaks_delete:
        for record in ended:
            if _is_environment(record) and record.scope not in kept:
                raise Refusal(500, "internal_server_error", f"KeyError: {record.scope}")
    return [record for record in ended if kept.get(record.scope) is not record]


def _is_environment(record: RunRecord) -> bool:
    return bool(record.detail["workflow_id"] == ENVIRONMENT)


def _made_environment(record: RunRecord) -> bool:
    return _is_environment(record) and status_of(record) == "terminated"

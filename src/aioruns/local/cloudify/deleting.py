"""Which ended executions `DELETE /executions` forgets (wire/cloudify.md 2.7)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from attrs import frozen

from aioruns.local.cloudify.answers import bad
from aioruns.local.cloudify.statuses import ENDED, status_of
from aioruns.local.cloudify.views import created_at
from aioruns.local.records import Json, RunRecord

_ENVIRONMENT = "create_deployment_environment"
# A UTC offset is refused, and so is a `Z` without a fraction.
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?|T\d\d:\d\d:\d\d\.\d{1,6}Z)?"
)


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
        return Choice(before=_date(body["to_datetime"]))
    return Choice()


def doomed(matching: list[RunRecord], choice: Choice) -> list[RunRecord]:
    """The ended executions to forget, oldest first."""
    ended = [record for record in matching if status_of(record) in ENDED]
    ended.sort(key=created_at)
    if choice.before is not None:
        ended = [record for record in ended if created_at(record) < choice.before]
    if choice.keep:
        ended = ended[: -choice.keep]
    # The last successful creation of a deployment's environment stays.
    kept = {
        record.scope: record
        for record in ended
        if record.detail["workflow_id"] == _ENVIRONMENT
        and status_of(record) == "terminated"
    }
    return [record for record in ended if kept.get(record.scope) is not record]


def _date(text: Json) -> datetime:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise bad(
            "`to_datetime` must be a UTC date such as 2024-05-01, 2024-05-01T10:00:00 "
            "or 2024-05-01T10:00:00.000000Z"
        )
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        raise bad(f"`to_datetime` is no date: {text}") from None

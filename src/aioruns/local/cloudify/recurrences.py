"""When a schedule comes due (wire/cloudify.md 2.5)."""

import calendar
import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from attrs import frozen

from aioruns.local.cloudify.answers import bad
from aioruns.local.records import Json

_UNITS = {
    "sec": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
    "mo": "months",
    "y": "years",
}
_RECURRENCE = re.compile(
    r"(\d+) ?(sec(?=onds?$|s?$)|min(?=utes?$|s?$)|h(?=ours?$|s?$)|d(?=ays?$|s?$)"
    r"|w(?=eeks?$|s?$)|mo(?=nths?$|s?$)|y(?=ears?$|s?$))\w*"
)
_FREQUENCIES = {
    "SECONDLY": "seconds",
    "MINUTELY": "minutes",
    "HOURLY": "hours",
    "DAILY": "days",
    "WEEKLY": "weeks",
    "MONTHLY": "months",
    "YEARLY": "years",
}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST = datetime(9000, 1, 1, tzinfo=UTC)


@frozen
class Recurrence:
    """A step of time, and how often."""

    every: int = 1
    unit: str = "days"
    count: int | None = None
    until: datetime | None = None
    weekdays: frozenset[int] = frozenset()

    def after(self, now: datetime, since: datetime) -> Iterator[datetime]:
        """The occurrences later than a moment, the first of all being `since`."""
        for number, when in self._numbered(now, since):
            if when > (self.until or _LAST):
                return
            if self.count is not None and number >= self.count:
                return
            if when > now:
                yield when

    def _numbered(
        self, now: datetime, since: datetime
    ) -> Iterator[tuple[int, datetime]]:
        if self.weekdays:
            return enumerate(self._on_weekdays(since))
        if self.unit in {"months", "years"}:
            return enumerate(self._in_months(since))
        step = timedelta(**{self.unit: self.every})
        # Nobody waits for the seconds of a year to be counted.
        first = max(0, (now - since) // step) if step else 0
        numbers = itertools.count(first) if step else iter([0])
        return ((number, since + number * step) for number in numbers)

    def _on_weekdays(self, since: datetime) -> Iterator[datetime]:
        weekly = self.unit == "weeks"
        monday = since - timedelta(days=since.weekday())
        for number in itertools.count(0, 1 if weekly else max(1, self.every)):
            day = since + timedelta(days=number)
            skipped = weekly and ((day - monday).days // 7) % max(1, self.every)
            if not skipped and day.weekday() in self.weekdays:
                yield day

    def _in_months(self, since: datetime) -> Iterator[datetime]:
        step = max(1, self.every) * (12 if self.unit == "years" else 1)
        for number in itertools.count(0, step):
            year, month = divmod(since.year * 12 + since.month - 1 + number, 12)
            if year >= _LAST.year:
                return
            if since.day <= calendar.monthrange(year, month + 1)[1]:
                yield since.replace(year=year, month=month + 1)


def rule_of(
    body: Mapping[str, Json], existing: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """The `rule` of a schedule from a body; raises what refuses it."""
    if body.get("rrule"):
        if any(body.get(name) for name in ("recurrence", "weekdays", "count")):
            raise bad(
                "`rrule` cannot be given together with `recurrence`, `weekdays` or "
                "`count`"
            )
        rule: dict[str, Json] = {"rrule": body["rrule"]}
    else:
        before = existing or {}
        rule = {
            name: body.get(name) or before.get(name)
            for name in ("recurrence", "count", "weekdays")
        }
        if not rule["recurrence"] and rule["count"] != 1:
            raise bad("`recurrence` must be given unless `count` is 1")
    recurrence_of(rule, None)
    return rule


def recurrence_of(rule: Mapping[str, Json], until: datetime | None) -> Recurrence:
    """What a rule means."""
    if rule.get("rrule"):
        return _of_rrule(rule["rrule"], until)
    count = rule.get("count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise bad(f"`count` must be an integer, not `{count}`")
    text = rule.get("recurrence")
    if not text:
        return Recurrence(every=0, count=1, until=until)
    match = _RECURRENCE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise bad(
            f"`{text}` is no recurrence; it is written as <number> seconds|minutes|"
            "hours|days|weeks|months|years"
        )
    weekdays = _weekdays(rule.get("weekdays"))
    unit = _UNITS[match[2]]
    if weekdays and unit not in {"days", "weeks"}:
        raise bad(
            f"This server takes `weekdays` with days or weeks only, not with {unit}"
        )
    return Recurrence(int(match[1]), unit, count, until, weekdays)


def _weekdays(value: Json) -> frozenset[int]:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise bad(f"`weekdays` must be a list, not {value}")
    names = [str(day).upper() for day in value]
    for name in names:
        if name not in _DAYS:
            raise bad(f"`{name}` is none of the weekdays {', '.join(_DAYS)}")
    return frozenset(map(_DAYS.index, names))


def _of_rrule(text: Json, until: datetime | None) -> Recurrence:
    recurrence = _read_rrule(text, until) if isinstance(text, str) else None
    if recurrence is None:
        raise bad(
            f"`{text}` is no rule that this server can follow; it takes FREQ, "
            "INTERVAL, COUNT, UNTIL, and BYDAY with days or weeks"
        )
    return recurrence


def _read_rrule(text: str, until: datetime | None) -> Recurrence | None:
    try:
        pairs = text.upper().removeprefix("RRULE:").split(";")
        parts = dict(pair.split("=") for pair in pairs)
        unit = _FREQUENCIES[parts.pop("FREQ")]
        every = int(parts.pop("INTERVAL", "1"))
        count = int(parts.pop("COUNT")) if "COUNT" in parts else None
        if "UNTIL" in parts:
            until = _moment(parts.pop("UNTIL"))
        days = parts.pop("BYDAY", "")
        weekdays = frozenset(_DAYS.index(day) for day in days.split(",") if day)
    except (ValueError, KeyError):
        return None
    if parts or (weekdays and unit not in {"days", "weeks"}):
        return None
    return Recurrence(every, unit, count, until, weekdays)


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)

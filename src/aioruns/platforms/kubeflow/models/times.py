"""Times of the server: unset ones are sent as the epoch, or as year 1."""

from datetime import UTC, datetime

from aioruns.errors import InvalidInput
from aioruns.http.codec import parse_time

EPOCH = "1970-01-01T00:00:00Z"
"""A time that is not set, as it is sent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def when(moment: datetime | str | None) -> datetime | None:
    """A time, or None if it is not set (wire/kubeflow.md 3.1).

    Raises:
        InvalidInput: It has no time zone, or is no time.
    """
    if isinstance(moment, str):
        try:
            moment = parse_time(moment)
        except ValueError as error:
            raise InvalidInput(
                f"{moment!r} is no time: write it like 2024-05-01T10:00:00Z"
            ) from error
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidInput(
            f"the time {moment.isoformat()} has no time zone: give it one, for example "
            "datetime.now(UTC)"
        )
    return None if moment <= _EPOCH else moment

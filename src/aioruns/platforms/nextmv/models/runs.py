"""What Nextmv answers (wire/nextmv.md 4); `raw` keeps an object as it came."""

from datetime import datetime

import orjson
from attrs import define, field, frozen

from aioruns.http.codec import read_straight


@frozen
class RunRow:
    """What a list of runs says of one of them."""

    id: str
    status_v2: str
    created_at: datetime | None = None
    name: str | None = None
    description: str | None = None


@frozen
class RunPage:
    """One page of an application's runs."""

    runs: list[RunRow] | None = None
    next_page_token: str | None = None


# Not frozen: that would double what it costs, and every submission gets one.
@define
class RunCreated:
    """The answer to a submission."""

    run_id: str


def _run_created(body: bytes) -> RunCreated | None:
    try:
        run_id = orjson.loads(body)["run_id"]
    except (LookupError, TypeError, ValueError):
        return None
    return RunCreated(run_id) if type(run_id) is str else None


read_straight(RunCreated, _run_created)


@frozen
class BinaryUrl:
    """Where to put the archive of a push."""

    upload_url: str = field(repr=False)

"""What Nextmv answers (wire/nextmv.md 4); `raw` keeps an object as it came."""

from datetime import datetime

from attrs import field, frozen


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


@frozen
class RunCreated:
    """The answer to a submission."""

    run_id: str


@frozen
class BinaryUrl:
    """Where to put the archive of a push."""

    upload_url: str = field(repr=False)

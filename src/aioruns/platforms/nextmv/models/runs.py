"""What Nextmv answers (wire/nextmv.md 4); `raw` keeps an object as it came."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.formats import Format


@frozen
class ApplicationRecord:
    """What the platform keeps of an application."""

    id: str
    name: str | None = None
    description: str | None = None
    type: str | None = None
    default_instance: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Metadata:
    """The state, times and sizes of a run."""

    status_v2: str
    created_at: datetime | None = None
    initiated_at: datetime | None = None
    duration: float | None = None
    execution_duration: float | None = None
    error: str | None = None
    input_size: float | None = None
    output_size: float | None = None
    format: Format | None = None
    application_instance_id: str | None = None
    application_version_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunInformation:
    """A run without its output."""

    id: str
    metadata: Metadata
    name: str | None = None
    description: str | None = None
    user_email: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ErrorLog:
    """What a failed run left."""

    error: str | None = None
    stdout: str | None = None
    stderr: str | None = None


@frozen
class RunResult:
    """A run with its output, or with its error log."""

    id: str
    metadata: Metadata
    output: object = None
    error_log: ErrorLog | None = None
    name: str | None = None
    description: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


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
class UploadUrl:
    """Where to put data that is too large for a request, or no JSON."""

    upload_id: str
    upload_url: str = field(repr=False)


@frozen
class BinaryUrl:
    """Where to put the archive of a push."""

    upload_url: str = field(repr=False)


@frozen
class DownloadUrl:
    """Where to get data that is too large for an answer, or no JSON."""

    url: str = field(repr=False)


@frozen
class LiveLogItem:
    """One line of a run's log."""

    timestamp: datetime
    log: str


@frozen
class LiveLogPage:
    """What came after a token, and when to ask again (wire/nextmv.md 3.3.3)."""

    items: list[LiveLogItem] | None = None
    status_v2: str | None = None
    next_page_token: str | None = None
    next_available_in_seconds: float | None = None

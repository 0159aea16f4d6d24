"""What Nextmv answers, and what is sent to it (wire/nextmv.md 4)."""

from aioruns.platforms.nextmv.models.configuration import (
    RunConfiguration,
    RunQueuing,
    RunType,
    RunTypeConfiguration,
)
from aioruns.platforms.nextmv.models.formats import (
    ContentFormat,
    Format,
    FormatInput,
    FormatOutput,
    InputFormat,
    OutputFormat,
)
from aioruns.platforms.nextmv.models.runs import (
    ApplicationRecord,
    BinaryUrl,
    DownloadUrl,
    ErrorLog,
    LiveLogItem,
    LiveLogPage,
    Metadata,
    RunCreated,
    RunInformation,
    RunPage,
    RunResult,
    RunRow,
    UploadUrl,
)

__all__ = [
    "ApplicationRecord",
    "BinaryUrl",
    "ContentFormat",
    "DownloadUrl",
    "ErrorLog",
    "Format",
    "FormatInput",
    "FormatOutput",
    "InputFormat",
    "LiveLogItem",
    "LiveLogPage",
    "Metadata",
    "OutputFormat",
    "RunConfiguration",
    "RunCreated",
    "RunInformation",
    "RunPage",
    "RunQueuing",
    "RunResult",
    "RunRow",
    "RunType",
    "RunTypeConfiguration",
    "UploadUrl",
]

"""What Nextmv answers, and what is sent to it (wire/nextmv.md 4)."""

from aioruns.platforms.nextmv.models.runs import (
    ApplicationRecord,
    BinaryUrl,
    DownloadUrl,
    ErrorLog,
    Format,
    FormatPart,
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
    "DownloadUrl",
    "ErrorLog",
    "Format",
    "FormatPart",
    "LiveLogItem",
    "LiveLogPage",
    "Metadata",
    "RunCreated",
    "RunInformation",
    "RunPage",
    "RunResult",
    "RunRow",
    "UploadUrl",
]

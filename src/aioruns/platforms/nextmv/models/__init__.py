"""What Nextmv answers, and what is sent to it (wire/nextmv.md 4)."""

from aioruns.platforms.nextmv.models.applications import (
    ApplicationRecord,
    ApplicationType,
)
from aioruns.platforms.nextmv.models.assets import RunAsset
from aioruns.platforms.nextmv.models.comparison import ComparisonValues, RunComparison
from aioruns.platforms.nextmv.models.configuration import (
    RunConfiguration,
    RunQueuing,
    RunType,
    RunTypeConfiguration,
)
from aioruns.platforms.nextmv.models.downloads import AssetLink, DownloadURL
from aioruns.platforms.nextmv.models.formats import (
    ContentFormat,
    Format,
    FormatInput,
    FormatOutput,
    InputFormat,
    OutputFormat,
)
from aioruns.platforms.nextmv.models.information import (
    ErrorLog,
    Metadata,
    OptionSummary,
    RunInformation,
    RunIntegration,
    RunOptions,
    RunResult,
    RunTrackingMetadata,
    SyncedRun,
)
from aioruns.platforms.nextmv.models.logs import (
    LiveLogPage,
    RunLog,
    TimestampedRunLog,
)
from aioruns.platforms.nextmv.models.run_rows import (
    MetricsIndicator,
    OptionsSummaryItem,
    Run,
    RunInfoMetrics,
    RunInfoStatistics,
    StatisticsIndicator,
)
from aioruns.platforms.nextmv.models.runs import (
    BinaryUrl,
    RunCreated,
    RunPage,
    RunRow,
)
from aioruns.platforms.nextmv.models.statuses import Status, StatusV2
from aioruns.platforms.nextmv.models.uploads import UploadURL

__all__ = [
    "ApplicationRecord",
    "ApplicationType",
    "AssetLink",
    "BinaryUrl",
    "ComparisonValues",
    "ContentFormat",
    "DownloadURL",
    "ErrorLog",
    "Format",
    "FormatInput",
    "FormatOutput",
    "InputFormat",
    "LiveLogPage",
    "Metadata",
    "MetricsIndicator",
    "OptionSummary",
    "OptionsSummaryItem",
    "OutputFormat",
    "Run",
    "RunAsset",
    "RunComparison",
    "RunConfiguration",
    "RunCreated",
    "RunInfoMetrics",
    "RunInfoStatistics",
    "RunInformation",
    "RunIntegration",
    "RunLog",
    "RunOptions",
    "RunPage",
    "RunQueuing",
    "RunResult",
    "RunRow",
    "RunTrackingMetadata",
    "RunType",
    "RunTypeConfiguration",
    "StatisticsIndicator",
    "Status",
    "StatusV2",
    "SyncedRun",
    "TimestampedRunLog",
    "UploadURL",
]

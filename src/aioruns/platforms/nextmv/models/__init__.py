"""What Nextmv answers, and what is sent to it (wire/nextmv.md 4)."""

from aioruns.platforms.nextmv.models.applications import (
    ApplicationRecord,
    ApplicationType,
)
from aioruns.platforms.nextmv.models.assets import AssetPage, RunAsset
from aioruns.platforms.nextmv.models.comparison import ComparisonValues, RunComparison
from aioruns.platforms.nextmv.models.configuration import (
    RunConfiguration,
    RunQueuing,
    RunType,
    RunTypeConfiguration,
)
from aioruns.platforms.nextmv.models.downloads import AssetLink, DownloadURL
from aioruns.platforms.nextmv.models.ensembles import (
    EnsembleDefinition,
    EvaluationRule,
    RuleObjective,
    RuleTolerance,
    RuleToleranceType,
    RunGroup,
)
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
from aioruns.platforms.nextmv.models.inputs import (
    Input,
)
from aioruns.platforms.nextmv.models.instances import Instance, InstanceConfiguration
from aioruns.platforms.nextmv.models.logs import (
    LiveLogPage,
    RunLog,
    TimestampedRunLog,
)
from aioruns.platforms.nextmv.models.managed_inputs import InputSet, ManagedInput
from aioruns.platforms.nextmv.models.outputs import (
    Asset,
    Output,
    Statistics,
    Visual,
    VisualSchema,
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
from aioruns.platforms.nextmv.models.secrets import (
    Secret,
    SecretsCollection,
    SecretsCollectionSummary,
    SecretType,
)
from aioruns.platforms.nextmv.models.statuses import Status, StatusV2
from aioruns.platforms.nextmv.models.tracking import (
    ExternalRunResult,
    TrackedRun,
    TrackedRunStatus,
    run_duration,
)
from aioruns.platforms.nextmv.models.uploads import UploadURL
from aioruns.platforms.nextmv.models.versions import (
    Version,
    VersionExecutable,
    VersionExecutableRequirements,
)

__all__ = [
    "ApplicationRecord",
    "ApplicationType",
    "Asset",
    "AssetLink",
    "AssetPage",
    "BinaryUrl",
    "ComparisonValues",
    "ContentFormat",
    "DownloadURL",
    "EnsembleDefinition",
    "ErrorLog",
    "EvaluationRule",
    "ExternalRunResult",
    "Format",
    "FormatInput",
    "FormatOutput",
    "Input",
    "InputFormat",
    "InputSet",
    "Instance",
    "InstanceConfiguration",
    "LiveLogPage",
    "ManagedInput",
    "Metadata",
    "MetricsIndicator",
    "OptionSummary",
    "OptionsSummaryItem",
    "Output",
    "OutputFormat",
    "RuleObjective",
    "RuleTolerance",
    "RuleToleranceType",
    "Run",
    "RunAsset",
    "RunComparison",
    "RunConfiguration",
    "RunCreated",
    "RunGroup",
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
    "Secret",
    "SecretType",
    "SecretsCollection",
    "SecretsCollectionSummary",
    "Statistics",
    "StatisticsIndicator",
    "Status",
    "StatusV2",
    "SyncedRun",
    "TimestampedRunLog",
    "TrackedRun",
    "TrackedRunStatus",
    "UploadURL",
    "Version",
    "VersionExecutable",
    "VersionExecutableRequirements",
    "Visual",
    "VisualSchema",
    "run_duration",
]

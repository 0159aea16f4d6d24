"""Runs as they are read one by one (wire/nextmv.md 4.2)."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json, key
from aioruns.platforms.nextmv.models.configuration import RunTypeConfiguration
from aioruns.platforms.nextmv.models.formats import ContentFormat, Format, InputFormat
from aioruns.platforms.nextmv.models.statuses import FINAL, StatusV2


@frozen
class RunTrackingMetadata:
    """Where a run comes from."""

    cloned_run_id: str | None = None
    input_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class OptionSummary:
    """An option, and who set it: `version`, `instance` or `run`."""

    name: str
    value: Any = ""
    source: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunOptions:
    """The options of a run.

    Attributes:
        active_options: Those that it ran with.
        options_summary: The same, with who set them.
        request_options: Those that were given when it was submitted.
    """

    active_options: Json | None = None
    options_summary: list[OptionSummary] | None = None
    request_options: Json | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunIntegration:
    """The integration that executes a run, and its own id of it."""

    integration_id: str = field(metadata=key("id"))
    provider: str = ""
    run_id: str = ""
    details: Any = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class SyncedRun:
    """A run that another one was copied to."""

    run_id: str
    synced_at: datetime | None = None
    app_id: str = ""
    instance_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Metadata:
    """State, times, sizes and settings of a run.

    Attributes:
        status_v2: Where the run stands.
        application_id: The application.
        application_instance_id: The instance; may be empty.
        application_version_id: The version; may be empty.
        created_at: When it was submitted.
        initiated_at: When it began to execute.
        duration: Milliseconds from submission to end; 0 while it runs.
        execution_duration: Milliseconds of the execution alone.
        error: Why it failed; empty if it did not.
        input_size: Bytes of the input.
        output_size: Bytes of the output.
        format: How input and output are written.
        execution_class: The kind of machine.
        experiment_id: The experiment that it belongs to.
        experiment_type: That experiment's type.
        integration: The integration that executes it.
        metrics: What the run says of itself.
        options: Its options.
        queuing_disabled: Whether it was never queued.
        queuing_priority: From 1, the first, to 9, the last.
        run_type: What kind of run it is.
        runtime: The image that it runs in.
        secrets_collection_id: Secrets that it may read.
        statistics: What the run says of itself, in the older form.
        tracking: Where it comes from.
        status: Where it stands, in the older words.
    """

    status_v2: StatusV2 | str
    application_id: str = ""
    application_instance_id: str = ""
    application_version_id: str = ""
    created_at: datetime | None = None
    initiated_at: datetime | None = None
    duration: float = 0.0
    execution_duration: float | None = None
    error: str = ""
    input_size: float = 0.0
    output_size: float = 0.0
    format: Format | None = None
    execution_class: str | None = None
    experiment_id: str | None = None
    experiment_type: str | None = None
    integration: RunIntegration | None = None
    metrics: Json | None = None
    options: RunOptions | None = None
    queuing_disabled: bool | None = None
    queuing_priority: int | None = None
    run_type: RunTypeConfiguration | None = None
    runtime: str | None = None
    secrets_collection_id: str | None = None
    statistics: Json | None = None
    tracking: RunTrackingMetadata | None = None
    status: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    def run_is_finalized(self) -> bool:
        """Whether the run has ended, however it ended."""
        return self.status_v2 in FINAL

    @property
    def content_format(self) -> InputFormat | ContentFormat | str:
        """How the input is written; JSON where the platform does not say."""
        if self.format is None:
            return ContentFormat.JSON
        return self.format.format_input.input_type

    @property
    def output_format(self) -> str:
        """How the output is written; JSON where the platform does not say."""
        written = self.format.format_output if self.format else None
        named = written.output_type if written else None
        return str(named or ContentFormat.JSON)


@frozen
class RunInformation:
    """A run without its output.

    Attributes:
        id: The run's id.
        metadata: State, times, sizes and settings.
        name: Name for people; may be empty.
        description: Text for people; may be empty.
        user_email: Who submitted it.
        console_url: Its page in the Nextmv console.
        synced_runs: The runs that it was copied to.
    """

    id: str
    metadata: Metadata
    name: str = ""
    description: str = ""
    user_email: str = ""
    console_url: str = ""
    synced_runs: list[SyncedRun] | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ErrorLog:
    """What a failed run left."""

    error: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunResult(RunInformation):
    """A run with its output, or with its error log.

    Attributes:
        output: What it produced, if it succeeded: JSON, or text of a run that writes
            text. Where the output is files, which were written into a directory, the
            address that the platform gave for them.
        error_log: What it left, if it failed.
        ensemble: What an ensemble run says of its members.
    """

    output: Any = field(default=None, repr=False)
    error_log: ErrorLog | None = None
    ensemble: Json | None = None

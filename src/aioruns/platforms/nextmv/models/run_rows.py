"""Runs as lists show them (wire/nextmv.md 4.2)."""

from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.configuration import RunTypeConfiguration
from aioruns.platforms.nextmv.models.statuses import StatusV2


@frozen
class StatisticsIndicator:
    """A figure by name, in the older form."""

    name: str
    value: Any = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunInfoStatistics:
    """Figures of a run in the older form, and whether they could be read."""

    status: str
    error: str | None = None
    indicators: list[StatisticsIndicator] | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class MetricsIndicator:
    """A figure by name."""

    name: str
    value: Any = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunInfoMetrics:
    """Figures of a run, and whether they could be read."""

    status: str
    error: str | None = None
    indicators: list[MetricsIndicator] | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class OptionsSummaryItem:
    """An option, and who set it: `version`, `instance` or `run`."""

    name: str
    value: Any = None
    source: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Run:
    """A run as an item of a list: of an application's runs, or of an experiment's.

    Attributes:
        id: The run's id.
        status_v2: Where it stands.
        created_at: When it was submitted.
        name: Name for people; may be empty.
        description: Text for people; may be empty.
        user_email: Who submitted it.
        application_id: The application.
        application_instance_id: The instance; may be empty.
        application_version_id: The version; may be empty.
        run_type: What kind of run it is.
        execution_class: The kind of machine.
        runtime: The image that it runs in.
        queuing_priority: From 1, the first, to 9, the last.
        queuing_disabled: Whether it is never queued.
        experiment_id: The experiment that it belongs to.
        input_id: The managed input.
        option_set: The experiment's option set.
        scenario_id: The scenario.
        repetition: Which repetition of the same it is.
        input_set_id: The input set.
        options: Its options.
        request_options: Those that were given when it was submitted.
        options_summary: The options, with who set them.
        statistics: Figures in the older form.
        metrics: Figures.
    """

    id: str
    status_v2: StatusV2 | str
    created_at: datetime | None = None
    name: str = ""
    description: str = ""
    user_email: str = ""
    application_id: str = ""
    application_instance_id: str = ""
    application_version_id: str = ""
    run_type: RunTypeConfiguration = field(factory=RunTypeConfiguration)
    execution_class: str = ""
    runtime: str = ""
    queuing_priority: int | None = None
    queuing_disabled: bool | None = None
    experiment_id: str | None = None
    input_id: str | None = None
    option_set: str | None = None
    scenario_id: str | None = None
    repetition: int | None = None
    input_set_id: str | None = None
    options: Json | None = None
    request_options: Json | None = None
    options_summary: list[OptionsSummaryItem] | None = None
    statistics: RunInfoStatistics | None = None
    metrics: RunInfoMetrics | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

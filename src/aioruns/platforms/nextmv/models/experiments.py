"""Batch experiments, which scenario tests are as well (wire/nextmv.md 4.4, 4.5)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.run_rows import Run


class ExperimentStatus(StrEnum):
    """Where an experiment stands."""

    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    DRAFT = "draft"
    CANCELED = "canceled"
    STOPPING = "stopping"
    DELETING = "deleting"
    DELETE_FAILED = "delete-failed"
    UNKNOWN = "unknown"


@frozen
class BatchExperimentInformation:
    """What all answers about batch experiments have in common.

    Attributes:
        id: The experiment's id.
        name: Name for people.
        created_at: When it was created.
        updated_at: When it was changed last.
        status: Where it stands.
        description: Text for people.
        number_of_requested_runs: Runs that it will have.
        number_of_runs: Runs that it has.
        number_of_completed_runs: Runs that have ended.
        type: `batch` or `scenario`.
        option_sets: Options by name, by the name of their set.
    """

    id: str
    name: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    status: ExperimentStatus | str | None = None
    description: str | None = None
    number_of_requested_runs: int | None = None
    number_of_runs: int | None = None
    number_of_completed_runs: int | None = None
    type: str | None = None
    option_sets: dict[str, dict[str, Any]] | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class BatchExperimentMetadata(BatchExperimentInformation):
    """How far a batch experiment is.

    Attributes:
        app_id: The application.
    """

    app_id: str | None = None


@frozen
class BatchExperiment(BatchExperimentInformation):
    """A batch experiment with its runs.

    Attributes:
        input_set_id: The input set; empty for a scenario test.
        instance_ids: The instances; none for a scenario test.
        grouped_distributional_summaries: Figures of its runs, by group.
        runs: Its runs.
    """

    input_set_id: str = ""
    instance_ids: list[str] = field(factory=list)
    grouped_distributional_summaries: list[Json] | None = None
    runs: list[Run] | None = None


@frozen
class BatchExperimentRun:
    """One run of a batch experiment, as it is asked for.

    Args:
        input_id: The managed input, or the input of the input set.
        option_set: Name of the option set.
        instance_id: The instance that runs.
        version_id: The version that runs, if it is no instance.
        input_set_id: The input set that the input is of.
        scenario_id: The scenario, in a scenario test.
        repetition: Which repetition of the same it is, from 0.
        run_number: Place of the run in the experiment.

    Raises:
        InvalidInput: Neither instance nor version is given.
    """

    input_id: str
    option_set: str | None = None
    instance_id: str | None = None
    version_id: str | None = None
    input_set_id: str | None = None
    scenario_id: str | None = None
    repetition: int | None = None
    run_number: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.instance_id is None and self.version_id is None:
            raise InvalidInput(
                f"the run of input {self.input_id!r} needs an instance_id or a "
                "version_id"
            )


@frozen
class ExperimentRuns:
    """The runs of an experiment, all in one answer."""

    runs: list[Run] | None = None

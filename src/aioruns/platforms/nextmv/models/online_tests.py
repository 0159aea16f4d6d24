"""Tests on live traffic: shadow and switchback tests (wire/nextmv.md 3.13)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, key
from aioruns.platforms.nextmv.models.experiments import ExperimentStatus
from aioruns.platforms.nextmv.models.run_rows import Run

_MOST_RUNS = 300


class StopIntent(StrEnum):
    """Why a test is stopped."""

    COMPLETE = "complete"
    CANCEL = "cancel"


@frozen
class TestComparison:
    """An instance, and those that are compared to it."""

    __test__ = False  # for pytest, which collects what has such a name

    baseline_instance_id: str
    candidate_instance_ids: Sequence[str]
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class TestComparisonSingle:
    """An instance, and the one that is compared to it."""

    __test__ = False

    baseline_instance_id: str
    candidate_instance_id: str
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class StartEvents:
    """When a test starts by itself."""

    time: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class TerminationEvents:
    """When a test ends by itself.

    Args:
        maximum_runs: After so many runs, 1 to 300.
        time: At this time.

    Raises:
        InvalidInput: The number of runs is not in its bounds.
    """

    maximum_runs: int
    time: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.maximum_runs <= _MOST_RUNS:
            raise InvalidInput(
                f"maximum_runs must be from 1 to {_MOST_RUNS}, not {self.maximum_runs}"
            )


@frozen
class ShadowTestMetadata:
    """Where a shadow test stands.

    Attributes:
        shadow_test_id: The test's id.
        name: Name for people.
        description: Text for people.
        app_id: The application.
        created_at: When it was created.
        updated_at: When it was changed last.
        status: Where it stands.
    """

    shadow_test_id: str | None = field(default=None, metadata=key("id"))
    name: str | None = None
    description: str | None = None
    app_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    status: ExperimentStatus | str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ShadowTest(ShadowTestMetadata):
    """Candidates that run what the baseline runs, without anybody seeing it.

    Attributes:
        completed_at: When it ended.
        comparisons: Who is compared to whom.
        start_events: When it starts by itself.
        termination_events: When it ends by itself.
        grouped_distributional_summaries: Figures of its runs, by group.
        runs: Its runs.
    """

    completed_at: datetime | None = None
    comparisons: list[TestComparison] | None = None
    start_events: StartEvents | None = None
    termination_events: TerminationEvents | None = None
    grouped_distributional_summaries: list[Json] | None = None
    runs: list[Run] | None = None


@frozen
class SwitchbackPlanUnit:
    """A time in which one of the instances has all runs.

    Attributes:
        duration_minutes: How long.
        instance_id: Which instance.
        index: Place in the plan, from 0.
    """

    duration_minutes: float = 0.0
    instance_id: str = ""
    index: int = 0
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class SwitchbackPlan:
    """Who has the runs when."""

    start: datetime | None = None
    units: list[SwitchbackPlanUnit] | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class SwitchbackTestMetadata:
    """Where a switchback test stands.

    Attributes:
        switchback_test_id: The test's id.
        name: Name for people.
        description: Text for people.
        app_id: The application.
        created_at: When it was created.
        updated_at: When it was changed last.
        status: Where it stands.
    """

    switchback_test_id: str | None = field(default=None, metadata=key("id"))
    name: str | None = None
    description: str | None = None
    app_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    status: ExperimentStatus | str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class SwitchbackTest(SwitchbackTestMetadata):
    """Two instances that take turns.

    Attributes:
        started_at: When it started.
        completed_at: When it ended.
        comparison: Who takes turns with whom.
        plan: Who has the runs when.
        runs: Its runs.
    """

    started_at: datetime | None = None
    completed_at: datetime | None = None
    comparison: TestComparisonSingle | None = None
    plan: SwitchbackPlan | None = None
    runs: list[Run] | None = None

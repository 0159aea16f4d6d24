"""Ensembles: runs that compete, and the rules that choose (wire/nextmv.md 4.5)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json


class RuleObjective(StrEnum):
    """Which end of a statistic is the better one."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


class RuleToleranceType(StrEnum):
    """How a rule's tolerance is meant."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


@frozen
class RuleTolerance:
    """How far apart two values may be and still count as equal."""

    value: float = 0.0
    type: RuleToleranceType | str = RuleToleranceType.ABSOLUTE
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class EvaluationRule:
    """One rule by which runs are compared.

    Attributes:
        id: The rule's id.
        statistics_path: Where the value is, of the form `$.a.b`.
        objective: Which end is the better one.
        tolerance: What counts as equal.
        index: Order of the rules; the lowest is applied first.
    """

    id: str
    statistics_path: str = ""
    objective: RuleObjective | str = RuleObjective.MINIMIZE
    tolerance: RuleTolerance = field(factory=RuleTolerance)
    index: int = 0
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunGroup:
    """Runs of one instance that take part."""

    id: str
    instance_id: str = ""
    options: Mapping[str, object] | None = None
    repetitions: int | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class EnsembleDefinition:
    """An ensemble; a run with `run_type` `ensemble` runs it."""

    id: str
    application_id: str = ""
    name: str = ""
    description: str = ""
    run_groups: list[RunGroup] = field(factory=list)
    rules: list[EvaluationRule] = field(factory=list)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

"""Scenarios: inputs, an instance, and options to combine (wire/nextmv.md 4.5)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from aioruns.errors import InvalidInput


class ScenarioInputType(StrEnum):
    """Where the inputs of a scenario come from."""

    INPUT_SET = "input_set"
    INPUT = "input"
    NEW = "new"


@frozen
class ScenarioInput:
    """The inputs of a scenario.

    Args:
        scenario_input_type: Where they come from.
        scenario_input_data: The id of an input set; or ids of managed inputs; or, for
            new ones, the inputs themselves.

    Raises:
        InvalidInput: Type and data do not go together.
    """

    scenario_input_type: ScenarioInputType | str
    scenario_input_data: str | Sequence[str] | Sequence[Mapping[str, Any]]

    def __attrs_post_init__(self) -> None:
        kind, data = self.scenario_input_type, self.scenario_input_data
        if kind not in set(ScenarioInputType):
            raise InvalidInput(
                f"scenario_input_type is {kind!r}; choose one of "
                f"{', '.join(ScenarioInputType)}"
            )
        if kind == ScenarioInputType.INPUT_SET:
            if not isinstance(data, str):
                raise InvalidInput(
                    "scenario_input_data must be the id of an input set, not "
                    f"{type(data).__name__}"
                )
        elif isinstance(data, str) or not isinstance(data, Sequence):
            wanted = "ids" if kind == ScenarioInputType.INPUT else "inputs"
            raise InvalidInput(
                f"scenario_input_data must be a list of {wanted}, not "
                f"{type(data).__name__}"
            )


@frozen
class ScenarioConfiguration:
    """An option, and the values that it takes one after the other.

    Args:
        name: The option's name.
        values: Its values, as text.

    Raises:
        InvalidInput: There is no value, or one that is not text.
    """

    name: str
    values: Sequence[str]

    def __attrs_post_init__(self) -> None:
        if isinstance(self.values, str) or not self.values:
            raise InvalidInput(f"option {self.name!r} needs a list of values")
        for value in self.values:
            if not isinstance(value, str):
                raise InvalidInput(
                    f"the values of option {self.name!r} must be text, and {value!r} "
                    "is not"
                )


@frozen
class Scenario:
    """What a scenario test runs: inputs on an instance, with all combinations.

    Args:
        scenario_input: The inputs.
        instance_id: The instance that runs.
        scenario_id: The scenario's id; `scenario-` and its place, from 1, if not given.
        configuration: Options whose values are combined with each other.
    """

    scenario_input: ScenarioInput
    instance_id: str
    scenario_id: str | None = None
    configuration: Sequence[ScenarioConfiguration] | None = None

"""From scenarios to the runs of one batch experiment; pure (wire/nextmv.md 3.5)."""

from collections.abc import Mapping, Sequence
from itertools import count, product

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.batches import input_ids_of
from aioruns.platforms.nextmv.models.experiments import BatchExperimentRun
from aioruns.platforms.nextmv.models.managed_inputs import InputSet
from aioruns.platforms.nextmv.models.scenarios import Scenario


def scenarios_by_id(scenarios: Sequence[Scenario]) -> dict[str, Scenario]:
    """Give every scenario an id: its own, or `scenario-` and its place, from 1.

    Raises:
        InvalidInput: There are no scenarios, or two with one id.
    """
    if not scenarios:
        raise InvalidInput("a scenario test needs at least one scenario")
    found: dict[str, Scenario] = {}
    for place, scenario in enumerate(scenarios, 1):
        scenario_id = scenario.scenario_id or f"scenario-{place}"
        if scenario_id in found:
            raise InvalidInput(
                f"two scenarios have the id {scenario_id!r}: give each its own, and "
                "none that another one gets from its place"
            )
        found[scenario_id] = scenario
    return found


def option_sets(scenario_id: str, scenario: Scenario) -> dict[str, dict[str, str]]:
    """All combinations of a scenario's options; the last option varies fastest."""
    options = scenario.configuration or ()
    combinations = product(*(option.values for option in options))
    return {
        f"{scenario_id}_{place}": {
            option.name: value for option, value in zip(options, values, strict=True)
        }
        for place, values in enumerate(combinations)
    }


def plan(
    scenarios: Mapping[str, Scenario],
    input_sets: Mapping[str, InputSet],
    repetitions: int,
) -> tuple[dict[str, dict[str, str]], list[BatchExperimentRun]]:
    """The option sets and runs of a scenario test.

    Args:
        scenarios: By id.
        input_sets: The input set of each scenario, by the same ids.
        repetitions: How often everything is run again after its first run.
    """
    sets: dict[str, dict[str, str]] = {}
    runs: list[BatchExperimentRun] = []
    numbers = count(1)
    for scenario_id, scenario in scenarios.items():
        own = option_sets(scenario_id, scenario)
        sets |= own
        input_set = input_sets[scenario_id]
        for option_set, input_id, repetition in product(
            own, input_ids_of(input_set), range(repetitions + 1)
        ):
            run = BatchExperimentRun(
                input_id,
                option_set,
                scenario.instance_id,
                input_set_id=input_set.id,
                scenario_id=scenario_id,
                repetition=repetition,
                run_number=str(next(numbers)),
            )
            runs.append(run)
    return sets, runs


def checked_repetitions(repetitions: int | None) -> int:
    """The number of repetitions; None is none.

    Raises:
        InvalidInput: It is no number of 0 or more.
    """
    wanted = 0 if repetitions is None else repetitions
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise InvalidInput(f"repetitions must be 0 or more, not {repetitions!r}")
    return wanted

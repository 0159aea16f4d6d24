"""Sweeps of an application: many runs as one experiment, followed as specs are."""

from collections.abc import Mapping, Sequence
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.describing import describe
from aioruns.platforms.nextmv.jsontext import json_text
from aioruns.platforms.nextmv.models.inputs import CloudOptions, Options
from aioruns.platforms.nextmv.models.managed_inputs import InputSet, ManagedInput
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.scenario_plan import checked_repetitions
from aioruns.platforms.nextmv.sweeping import Sweep, SweepInputs

OptionSets = Mapping[str, Options] | Sequence[Options]
"""Options by the name of their set; or in a list, named `options-1` and so on."""


class Sweeps:
    """Makes sweeps; reached as `application.sweeps`.

    Args:
        client: The platform.
        app_id: The application.
        default_instance_id: The instance that runs where a call names none.
    """

    def __init__(
        self, client: Client, app_id: str, default_instance_id: str | None = None
    ) -> None:
        self._client = client
        self._app_id = app_id
        self._default_instance_id = default_instance_id

    def sweep(
        self,
        inputs: SweepInputs,
        option_sets: OptionSets | None = None,
        *,
        instances: Sequence[str] | None = None,
        repetitions: int = 0,
        id: str | None = None,
        name: str | None = None,
    ) -> Sweep:
        """Describe many runs as one batch experiment; nothing is read or sent.

        `as_completed` and `gather` take it where they take specs. They make the
        experiment, so that it exists once, and follow all its runs by one request a
        round. `Outcome.index` is the place in `Sweep.runs`, which says what each run
        was given: for each instance, for each option set, for each input, all
        repetitions. `Outcome.spec` would submit the same run once more by itself.

        Inputs that are data are kept as managed inputs first.

        Args:
            inputs: JSON objects or arrays, managed inputs, or ids of managed inputs; or
                an input set, or the id of one.
            option_sets: Options by the name of their set, or just a list of options;
                values that are not text become JSON text.
            instances: The instances; the application's default if not given: that of
                the handle, for experiments, for runs, or `latest`.
            repetitions: How often everything is run again after its first run.
            id: The experiment's id; made up if not given. If there is one already,
                which this process or another made by the same call, that is followed.
            name: Name for people; the id if not given.

        Returns:
            The sweep.

        Raises:
            InvalidInput: Something in it cannot be right.

        Example:
            ```python
            sweep = app.sweep(problems, {"fast": {"duration": 5}, "slow": {}})
            async with aioruns.as_completed(sweep) as outcomes:
                async for outcome in outcomes:
                    run = sweep.runs[outcome.index]
                    print(run.input_id, run.option_set, outcome.state)
            ```
        """
        _check_inputs(inputs)
        default = [self._default_instance_id] if self._default_instance_id else []
        chosen = default if instances is None else _ids(instances)
        if id is not None and not (isinstance(id, str) and id):
            raise InvalidInput(f"the id of a sweep must be text, not {id!r}")
        sweep_id = id or safe_id("sweep")
        return Sweep(
            self._client,
            self._app_id,
            inputs,
            _texts(option_sets),
            chosen,
            checked_repetitions(repetitions),
            sweep_id,
            name or sweep_id,
            may_exist=id is not None,
        )


def _check_inputs(inputs: SweepInputs) -> None:
    if isinstance(inputs, InputSet):
        return
    if isinstance(inputs, Mapping | bytes) or not isinstance(inputs, Sequence):
        raise InvalidInput(
            "the inputs of a sweep must be a list, an input set or its id, not "
            f"{type(inputs).__name__}"
        )
    if not inputs:
        raise InvalidInput("a sweep needs at least one input")
    if isinstance(inputs, str):
        return
    for place, one in enumerate(inputs):
        if isinstance(one, ManagedInput) or (isinstance(one, str) and one):
            continue
        if isinstance(one, str | bytes) or not isinstance(one, Mapping | Sequence):
            raise InvalidInput(
                f"input {place} must be a JSON object or array, or the id of a managed "
                f"input, not {one!r:.40}"
            )
        try:
            json_text(one)
        except InvalidInput as error:
            raise InvalidInput(f"input {place}: {error}") from error


def _ids(instances: Sequence[str]) -> list[str]:
    listed = isinstance(instances, Sequence) and not isinstance(instances, str)
    if not listed or not all(isinstance(one, str) and one for one in instances):
        raise InvalidInput(
            f"instances must be a list of instance ids, not {instances!r}"
        )
    if not instances or len(set(instances)) < len(instances):
        raise InvalidInput("a sweep needs at least one instance, and none twice")
    return list(instances)


def _texts(option_sets: OptionSets | None) -> dict[str, dict[str, str]]:
    """The options as text, by the name of their set."""
    if option_sets is None:
        return {}
    if isinstance(option_sets, str | CloudOptions):
        raise InvalidInput("option_sets must be a mapping or a list of options")
    named: Mapping[str, Options] = (
        option_sets
        if isinstance(option_sets, Mapping)
        else {f"options-{place}": one for place, one in enumerate(option_sets, 1)}
    )
    made: dict[str, dict[str, str]] = {}
    for name, options in named.items():
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"the name of an option set must be text, not {name!r}")
        try:
            body: dict[str, Any] = describe(options=options)["body"]
        except InvalidInput as error:
            raise InvalidInput(f"option set {name!r}: {error}") from error
        made[name] = body.get("options", {})
    return made

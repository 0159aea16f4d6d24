"""What runs a batch experiment or scenario test consists of (wire/nextmv.md 3.4)."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, object_of, text_of
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.submission import LATEST
from aioruns.local.records import Json

MAXIMUM_RUNS = 20_000
"""More in one experiment are refused, since all are queued before the answer."""


@frozen
class Planned:
    """One run that an experiment asks for."""

    input_id: str
    instance_id: str = ""
    version_id: str = ""
    input_set_id: str = ""
    option_set: str = ""
    scenario_id: str = ""
    repetition: int | None = None
    run_number: str = ""

    def row(self) -> dict[str, Json]:
        """What lists of runs tell of it; keys without a value are left out."""
        keys = ("input_id", "input_set_id", "option_set", "scenario_id", "run_number")
        told = {key: value for key in keys if (value := getattr(self, key))}
        if self.repetition is not None:
            told["repetition"] = self.repetition
        return told


def option_sets_of(fields: Mapping[str, Json]) -> dict[str, dict[str, str]]:
    """`option_sets`: objects of strings, by name."""
    sets = object_of(fields, "option_sets")
    for name, options in sets.items():
        if not isinstance(options, dict) or not all(
            isinstance(value, str) for value in options.values()
        ):
            raise Refusal(
                400,
                f"The option set '{name}' must be an object whose values are strings.",
            )
    return sets


def planned(desk: Desk, app: str, fields: Mapping[str, Json]) -> list[Planned]:
    """The runs of a new experiment: those that are listed, or all of an input set.

    Raises:
        Refusal: Something that they name is missing or of the wrong type.
    """
    sets = option_sets_of(fields)
    given = fields.get("runs")
    if given is not None and not isinstance(given, list):
        raise Refusal(400, "`runs` must be an array.")
    if given:
        runs = [_explicit(run, place) for place, run in enumerate(given, 1)]
    else:
        runs = list(_expanded(desk, app, fields, sets))
    if len(runs) > MAXIMUM_RUNS:
        raise Refusal(400, f"These are {len(runs)} runs; at most {MAXIMUM_RUNS} go.")
    for run in runs:
        if run.option_set and run.option_set not in sets:
            raise Refusal(
                400,
                f"A run names the option set '{run.option_set}', which `option_sets` "
                "does not have.",
            )
    _check_members(desk, app, runs)
    return runs


def _explicit(run: Json, place: int) -> Planned:
    if not isinstance(run, dict):
        raise Refusal(400, f"Entry {place} of `runs` must be an object.")
    try:
        wanted = Planned(
            input_id=text_of(run, "input_id"),
            instance_id=text_of(run, "instance_id"),
            version_id=text_of(run, "version_id"),
            input_set_id=text_of(run, "input_set_id"),
            option_set=text_of(run, "option_set"),
            scenario_id=text_of(run, "scenario_id"),
            repetition=_whole(run, "repetition"),
            run_number=text_of(run, "run_number"),
        )
    except Refusal as refusal:
        raise Refusal(400, f"Entry {place} of `runs`: {refusal.message}") from None
    if not wanted.input_id:
        raise Refusal(400, f"Entry {place} of `runs` has no `input_id`.")
    if run.get("instance_id") is None and run.get("version_id") is None:
        raise Refusal(
            400, f"Entry {place} of `runs` has neither `instance_id` nor `version_id`."
        )
    return wanted


def _whole(fields: Mapping[str, Json], key: str) -> int | None:
    value: Json = fields.get(key)
    if value is not None and type(value) is not int:
        raise Refusal(400, f"`{key}` must be an integer.")
    number: int | None = value
    return number


def _expanded(
    desk: Desk, app: str, fields: Mapping[str, Json], sets: Mapping[str, Json]
) -> Iterator[Planned]:
    """Every instance with every option set and every input of the input set."""
    input_set_id = text_of(fields, "input_set_id")
    if not input_set_id:
        return
    for instance_id in instance_ids_of(fields) or [_default(desk, app)]:
        for option_set in list(sets) or [""]:
            for input_id in input_ids(desk, app, input_set_id):
                yield Planned(
                    input_id,
                    instance_id=instance_id,
                    input_set_id=input_set_id,
                    option_set=option_set,
                )


def instance_ids_of(fields: Mapping[str, Json]) -> list[str]:
    """`instance_ids`, which the newest client no longer sends."""
    ids = fields.get("instance_ids")
    if ids is None:
        return []
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise Refusal(400, "`instance_ids` must be an array of strings.")
    return ids


def _default(desk: Desk, app: str) -> str:
    application = desk.find("applications", app) or {}
    chosen: str = (
        application.get("default_experiment_instance")
        or application.get("default_instance")
        or LATEST
    )
    return chosen


def input_ids(desk: Desk, app: str, input_set_id: str) -> list[str]:
    """The inputs of an input set, or a Refusal (404) if there is no such set."""
    found = desk.find(f"inputsets/{app}", input_set_id)
    if found is None:
        raise Refusal(404, f"Application '{app}' has no input set '{input_set_id}'.")
    ids: list[str] = found["input_ids"]
    return ids


def _check_members(desk: Desk, app: str, runs: Sequence[Planned]) -> None:
    members: dict[str, set[str]] = {}
    for run in runs:
        if not run.input_set_id:
            continue
        if run.input_set_id not in members:
            members[run.input_set_id] = set(input_ids(desk, app, run.input_set_id))
        if run.input_id not in members[run.input_set_id]:
            raise Refusal(
                400,
                f"A run names the input '{run.input_id}', which the input set "
                f"'{run.input_set_id}' does not have.",
            )

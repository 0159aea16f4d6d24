"""Switchback tests: one instance, then the other, by a plan (wire/nextmv.md 3.13)."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, object_of, rfc3339
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.online import Phase, existing, moment_of
from aioruns.local.records import Json, RunRecord

_MOST_MINUTES = 10_080
_MOST_UNITS = 1_000


@frozen
class Switchback:
    """What a switchback test is."""

    def made(self, desk: Desk, app: str, fields: Mapping[str, Json]) -> dict[str, Json]:
        """The comparison, and a random plan with both instances equally often."""
        comparison = object_of(fields, "comparison")
        instances = {
            key: existing(desk, app, key, comparison.get(key))
            for key in ("baseline_instance_id", "candidate_instance_id")
        }
        wanted = object_of(fields, "generate_random_plan")
        minutes = wanted.get("unit_duration_minutes")
        if (
            isinstance(minutes, bool)
            or not isinstance(minutes, int | float)
            or not 1 <= minutes <= _MOST_MINUTES
        ):
            raise Refusal(
                400,
                "`generate_random_plan.unit_duration_minutes` must be a number between "
                f"1 and {_MOST_MINUTES}.",
            )
        units = wanted.get("units")
        if type(units) is not int or not 1 <= units <= _MOST_UNITS:
            raise Refusal(
                400,
                "`generate_random_plan.units` must be an integer between 1 and "
                f"{_MOST_UNITS}.",
            )
        both = list(instances.values())
        plan: dict[str, Json] = {"units": _units(both, units, minutes)}
        if start := moment_of(wanted, "start"):
            plan["start"] = rfc3339(start)
        return {"comparison": instances, "plan": plan}

    def scheduled(self, test: Mapping[str, Json]) -> datetime | None:
        """The start of the plan, if it has one."""
        return moment_of(test["plan"], "start")

    def ends(
        self,
        test: Mapping[str, Json],
        started: datetime,
        _records: Sequence[RunRecord],
    ) -> datetime | None:
        """After its last unit."""
        minutes = sum(unit["duration_minutes"] for unit in test["plan"]["units"])
        return started + timedelta(minutes=minutes)

    def told(self, test: Mapping[str, Json], phase: Phase) -> dict[str, Json]:
        """The comparison, and the plan with the time at which it really started."""
        plan = dict(test["plan"])
        if phase.started:
            plan["start"] = rfc3339(phase.started)
        return {"comparison": test["comparison"], "plan": plan}


def _units(instances: list[str], count: int, minutes: float) -> list[dict[str, Json]]:
    chance = random.SystemRandom()
    chance.shuffle(instances)
    order = [instances[index % 2] for index in range(count)]
    chance.shuffle(order)
    return [
        {"duration_minutes": minutes, "instance_id": instance, "index": index}
        for index, instance in enumerate(order)
    ]


def unit_at(
    test: Mapping[str, Json], started: datetime, now: datetime
) -> dict[str, Json] | None:
    """The unit of the plan that it is time for; None before and after."""
    passed = (now - started) / timedelta(minutes=1)
    if passed < 0:
        return None
    for unit in test["plan"]["units"]:
        passed -= unit["duration_minutes"]
        if passed < 0:
            found: dict[str, Json] = unit
            return found
    return None

"""Shadow tests: what a baseline runs, candidates run too (wire/nextmv.md 3.13)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, object_of, rfc3339
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.online import Phase, existing, moment_of
from aioruns.local.records import Json, RunRecord

_MOST_RUNS = 300
_BASELINE = "baseline_instance_id"
_CANDIDATES = "candidate_instance_ids"


@frozen
class Shadow:
    """What a shadow test is. `maximum_runs` counts the runs of candidates."""

    def made(self, desk: Desk, app: str, fields: Mapping[str, Json]) -> dict[str, Json]:
        """Comparisons, and when it starts and ends by itself."""
        termination = object_of(fields, "termination_events")
        most = termination.get("maximum_runs")
        if type(most) is not int or not 1 <= most <= _MOST_RUNS:
            raise Refusal(
                400,
                "`termination_events.maximum_runs` must be an integer between 1 and "
                f"{_MOST_RUNS}.",
            )
        made: dict[str, Json] = {
            "comparisons": _comparisons(desk, app, fields),
            "termination_events": {"maximum_runs": most},
        }
        if end := moment_of(termination, "time"):
            made["termination_events"]["time"] = rfc3339(end)
        if start := moment_of(object_of(fields, "start_events"), "time"):
            made["start_events"] = {"time": rfc3339(start)}
        return made

    def scheduled(self, test: Mapping[str, Json]) -> datetime | None:
        """The time of its start events."""
        return moment_of(test.get("start_events", {}), "time")

    def ends(
        self,
        test: Mapping[str, Json],
        _started: datetime,
        records: Sequence[RunRecord],
    ) -> datetime | None:
        """At its time, or when it has all its runs."""
        events = test["termination_events"]
        ends = [moment_of(events, "time")]
        if len(records) >= events["maximum_runs"]:
            ends.append(records[events["maximum_runs"] - 1].created)
        return min((end for end in ends if end is not None), default=None)

    def told(self, test: Mapping[str, Json], _phase: Phase) -> dict[str, Json]:
        """As it was made."""
        keys = ("comparisons", "start_events", "termination_events")
        return {key: test[key] for key in keys if key in test}


def candidates(test: Mapping[str, Json], baseline: str) -> list[str]:
    """The instances that run what `baseline` runs, each once."""
    return list(
        dict.fromkeys(
            candidate
            for comparison in test["comparisons"]
            if comparison[_BASELINE] == baseline
            for candidate in comparison[_CANDIDATES]
        )
    )


def _comparisons(
    desk: Desk, app: str, fields: Mapping[str, Json]
) -> list[dict[str, Json]]:
    given = fields.get("comparisons")
    if isinstance(given, dict):
        # The newest client sends what it takes: candidates by baseline.
        given = [
            {_BASELINE: baseline, _CANDIDATES: ids} for baseline, ids in given.items()
        ]
    if not isinstance(given, list) or not given:
        raise Refusal(400, "`comparisons` must be an array of at least one comparison.")
    found = []
    for comparison in given:
        if not isinstance(comparison, dict):
            raise Refusal(400, "Each of `comparisons` must be an object.")
        ids = comparison.get(_CANDIDATES)
        if not isinstance(ids, list) or not ids:
            raise Refusal(400, f"`{_CANDIDATES}` must be an array of at least one id.")
        baseline = comparison.get(_BASELINE)
        found.append(
            {
                _BASELINE: existing(desk, app, _BASELINE, baseline),
                _CANDIDATES: [existing(desk, app, _CANDIDATES, each) for each in ids],
            }
        )
    return found

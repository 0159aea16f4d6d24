"""Runs beside each other (wire/nextmv.md 3.13)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, converter
from aioruns.platforms.nextmv.models.comparison import (
    Compared,
    ComparisonValues,
    RunComparison,
)
from aioruns.platforms.nextmv.models.information import Metadata, RunInformation
from aioruns.platforms.nextmv.run_reading import RunReading
from aioruns.together import each

_DIGITS = 5
"""Of metrics; less is no difference."""

_ELSEWHERE = {"metrics", "options", "raw"}
_NESTED = {"integration", "tracking"}
_TIMES = {"created_at", "initiated_at"}


class RunComparing:
    """Compares runs; reached as `application.run_comparing`.

    Args:
        reading: Reads the runs.
    """

    def __init__(self, reading: RunReading) -> None:
        self._reading = reading

    async def compare_runs(self, run_ids: Iterable[str]) -> RunComparison:
        """Read several runs, and say in what they differ.

        Args:
            run_ids: The runs, each of them once.

        Returns:
            Their properties beside each other; metrics are rounded to five digits.

        Raises:
            InvalidInput: A run is named twice.
            NotFound: There is no such run.
        """
        wanted = list(run_ids)
        if len(set(wanted)) != len(wanted):
            raise InvalidInput("compare_runs needs each run id once")
        found: dict[str, RunInformation] = {}

        async def read(run_id: str) -> None:
            found[run_id] = await self._reading.run_information(run_id)

        await each(wanted, read)
        runs = [found[run_id] for run_id in wanted]
        metadata = [run.metadata for run in runs]
        ids = [run.id for run in runs]
        return RunComparison(
            ids,
            _beside(ids, [_information(run) for run in runs]),
            _beside(ids, [_settings(one) for one in metadata]),
            _beside(ids, [_metrics(one) for one in metadata]) or None,
            _beside(ids, [_options(one) for one in metadata]) or None,
        )


def _beside(ids: Sequence[str], properties: Sequence[Mapping[str, Any]]) -> Compared:
    compared: dict[str, dict[str, Any]] = {}
    for run_id, values in zip(ids, properties, strict=True):
        for name, value in values.items():
            compared.setdefault(name, {})[run_id] = value
    return {
        name: ComparisonValues(_differ(list(values.values())), values)
        for name, values in compared.items()
    }


def _differ(values: Sequence[Any]) -> bool:
    # Not by a set: values may be lists and objects.
    return any(value != values[0] for value in values)


def _information(run: RunInformation) -> Json:
    plain: Json = converter.unstructure(run)
    return {
        name: value
        for name, value in plain.items()
        if name not in {"metadata", "console_url"}
    }


def _settings(metadata: Metadata) -> Json:
    made: Json = {}
    plain: Json = converter.unstructure(metadata)
    for name, value in plain.items():
        if name in _NESTED:
            made |= value
        elif name == "format":
            made["content_format"] = str(metadata.content_format)
        elif name == "run_type":
            made["run_type"] = value.get("type")
        elif name in _TIMES:
            made[name] = value.replace("+00:00", "Z")
        elif name == "status_v2":
            made["status"] = value
        elif name not in _ELSEWHERE and name != "status":
            made[name] = value
    return made


def _metrics(metadata: Metadata) -> Json:
    metrics = metadata.metrics or {}
    if list(metrics) == ["metrics"] and isinstance(metrics["metrics"], dict):
        metrics = metrics["metrics"]
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in metrics.items()
    }


def _options(metadata: Metadata) -> Json:
    return (metadata.options.active_options if metadata.options else None) or {}

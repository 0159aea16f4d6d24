"""Where a program finds its input and leaves what it made (wire/nextmv.md 6.1, 6.3)."""

from collections.abc import Mapping

from attrs import frozen

from aioruns.local.records import Json

FORMATS = ("json", "text", "multi-file", "csv-archive")
ARCHIVED = ("multi-file", "csv-archive")
"""Formats whose content is a tar.gz of files."""

SIDE_FILES = ("statistics", "metrics", "assets")
"""What a program of the format multi-file writes beside its solution."""


@frozen
class Layout:
    """Paths relative to the working directory of a program."""

    input: str
    solutions: str
    statistics: str
    metrics: str
    assets: str


def layout(
    requirements: Mapping[str, Json], input_type: str, output_type: str
) -> Layout:
    """The paths that the requirements of a binary name, or the usual ones."""
    multi = _object(_object(requirements, "io_configuration"), "multi_file")
    outputs = _object(multi, "output_configuration")
    named = {name: outputs.get(f"{name}_path") for name in ("solutions", *SIDE_FILES)}
    path = multi.get("input_path")
    return Layout(
        input="input" if input_type == "csv-archive" else str(path or "inputs/"),
        solutions=(
            "output"
            if output_type == "csv-archive"
            else str(named["solutions"] or "outputs/solutions/")
        ),
        statistics=str(named["statistics"] or "outputs/statistics.json"),
        metrics=str(named["metrics"] or "outputs/metrics.json"),
        assets=str(named["assets"] or "outputs/assets.json"),
    )


def usual_format(requirements: Mapping[str, Json]) -> str:
    """The format of runs that name none."""
    named = _object(requirements, "io_configuration").get("format")
    return named if named in FORMATS else "json"


def _object(fields: Mapping[str, Json], key: str) -> dict[str, Json]:
    value = fields.get(key)
    return value if isinstance(value, dict) else {}

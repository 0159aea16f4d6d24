"""The output of a run that was executed elsewhere (wire/nextmv.md 3.3.5, 4.2)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, converter, key
from aioruns.platforms.nextmv.models.formats import ContentFormat, OutputFormat, newest


class VisualSchema(StrEnum):
    """What draws a visual asset."""

    CHARTJS = "chartjs"
    GEOJSON = "geojson"
    PLOTLY = "plotly"


@frozen
class Visual:
    """How an asset is drawn in the console.

    Attributes:
        visual_schema: What draws it.
        label: Name for people.
        visual_type: Where it is shown; there is `custom-tab` only.
    """

    visual_schema: VisualSchema | str = field(metadata=key("schema"))
    label: str = ""
    visual_type: str | None = field(default="custom-tab", metadata=key("type"))
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Asset:
    """Something that belongs to a run's output, for example a chart.

    Attributes:
        name: Name for people.
        id: The id, where it has one.
        content: A JSON value.
        content_type: There is `json` only.
        description: Text for people.
        visual: How it is drawn.

    Raises:
        InvalidInput: The content type is not `json`.
    """

    name: str
    id: str | None = None
    content: Any = field(default=None, repr=False)
    content_type: str | None = "json"
    description: str | None = None
    visual: Visual | None = None

    def __attrs_post_init__(self) -> None:
        if self.content_type != "json":
            raise InvalidInput(
                f"the content type of asset {self.name!r} must be 'json', not "
                f"{self.content_type!r}"
            )


@frozen
class RunStatistics:
    """Figures of the run itself; `duration` is in seconds."""

    duration: float | None = None
    iterations: int | None = None
    custom: Any = None


@frozen
class ResultStatistics:
    """Figures of the result; `duration` is in seconds."""

    duration: float | None = None
    value: float | None = None
    custom: Any = None


@frozen
class DataPoint:
    """A point of a series."""

    x: float
    y: float


@frozen
class Series:
    """Points with a name."""

    name: str | None = None
    data_points: Sequence[DataPoint] | None = None


@frozen
class SeriesData:
    """The series of the value, and others."""

    value: Series | None = None
    custom: Sequence[Series] | None = None


@frozen
class Statistics:
    """Figures of a run in the platform's older form; the newer one is `metrics`."""

    run: RunStatistics | None = None
    result: ResultStatistics | None = None
    series_data: SeriesData | None = None
    statistics_schema: str | None = field(default="v1", metadata=key("schema"))


def _newest(name: str | None) -> ContentFormat | str | None:
    return None if name is None else newest(name)


@frozen
class Output:
    """What a run produced.

    Attributes:
        options: The options that it used.
        output_format: How it is written; `json` unless given.
        solution: A JSON value.
        statistics: Figures in the older form.
        metrics: Figures by name.
        csv_configurations: Kept in a `csv-archive` output.
        json_configurations: Kept in a `json` output.
        assets: What belongs to it.

    Raises:
        InvalidInput: A part is of another type than documented.
    """

    options: Mapping[str, Any] | None = None
    output_format: ContentFormat | OutputFormat | str | None = field(
        default=None, converter=_newest
    )
    solution: Any = field(default=None, repr=False)
    statistics: Statistics | Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    csv_configurations: Mapping[str, Any] | None = None
    json_configurations: Mapping[str, Any] | None = None
    assets: Sequence[Asset | Mapping[str, Any]] | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("options", "metrics"):
            _need(name, getattr(self, name), Mapping)
        _need("statistics", self.statistics, Statistics, Mapping)
        _need("assets", self.assets, list, tuple)
        for asset in self.assets or ():
            _need("an asset", asset, Asset, Mapping)

    def to_dict(self) -> dict[str, Any]:
        """The output as the platform keeps it (wire/nextmv.md 3.3.5)."""
        made: dict[str, Any] = {
            "options": dict(self.options or {}),
            "solution": {} if self.solution is None else self.solution,
            "assets": [plain(asset) for asset in self.assets or ()],
            "metrics": dict(self.metrics or {}),
        }
        if self.statistics is not None:
            made["statistics"] = plain(self.statistics)
        if self.output_format == OutputFormat.CSV_ARCHIVE and self.csv_configurations:
            made["csv_configurations"] = dict(self.csv_configurations)
        is_json = self.output_format in {None, ContentFormat.JSON}
        if is_json and self.json_configurations:
            made["json_configurations"] = dict(self.json_configurations)
        return made


def plain(value: object) -> Any:
    """A model as plain JSON; what is plain already stays as it is."""
    return dict(value) if isinstance(value, Mapping) else converter.unstructure(value)


def _need(name: str, value: object, *kinds: type) -> None:
    if value is not None and not isinstance(value, kinds):
        named = " or ".join(kind.__name__ for kind in kinds)
        raise InvalidInput(
            f"{name} of an output must be {named}, not {type(value).__name__}"
        )

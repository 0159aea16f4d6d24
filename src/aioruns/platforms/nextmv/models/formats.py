"""How inputs and outputs are written (wire/nextmv.md 4.3)."""

from enum import StrEnum

from attrs import field, frozen

from aioruns.http.codec import Json, key


class ContentFormat(StrEnum):
    """How an application reads its input and writes its output."""

    JSON = "json"
    MULTI_FILE = "multi-file"


class InputFormat(StrEnum):
    """The older names of input formats, of which two have no newer one."""

    JSON = "json"
    TEXT = "text"
    CSV_ARCHIVE = "csv-archive"
    MULTI_FILE = "multi-file"


class OutputFormat(StrEnum):
    """The older names of output formats, of which two have no newer one."""

    JSON = "json"
    TEXT = "text"
    CSV_ARCHIVE = "csv-archive"
    MULTI_FILE = "multi-file"


def newest(name: str) -> ContentFormat | str:
    """The newer name of a format where it has one; other text stays as it is."""
    return ContentFormat(name) if name in set(ContentFormat) else name


@frozen
class FormatInput:
    """How a run's input is written.

    Attributes:
        input_type: `json`, `multi-file`, `text` or `csv-archive`.
    """

    # The last enumeration that knows a text names it, so the newer one stands last.
    input_type: InputFormat | ContentFormat | str = field(
        default=ContentFormat.JSON, converter=newest, metadata=key("type")
    )
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class FormatOutput:
    """How a run's output is written.

    Attributes:
        output_type: `json`, `multi-file`, `text` or `csv-archive`.
    """

    output_type: OutputFormat | ContentFormat | str = field(
        default=ContentFormat.JSON, converter=newest, metadata=key("type")
    )
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Format:
    """How a run's input and output are written.

    Attributes:
        format_input: The input's format.
        format_output: The output's format; None leaves it to the platform.
    """

    format_input: FormatInput = field(factory=FormatInput, metadata=key("input"))
    format_output: FormatOutput | None = field(default=None, metadata=key("output"))
    raw: Json = field(factory=dict, repr=False, eq=False)

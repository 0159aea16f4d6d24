"""The input of a run with its format and options (wire/nextmv.md 3.3.1)."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.jsontext import json_text
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat, newest


@runtime_checkable
class CloudOptions(Protocol):
    """Options that can write themselves, such as `nextmv.Options`."""

    def to_dict_cloud(self) -> Mapping[str, str]:
        """Text by option name."""
        ...


Options = Mapping[str, object] | CloudOptions
"""Options of a run by name; what is not text is sent as JSON text."""


@frozen
class Input:
    """Data for a run, with its format and options.

    Attributes:
        data: A JSON value for `json`, text for `text`, a mapping for `csv-archive` and
            `multi-file`. Mappings are sent as JSON in each format; to send files, give
            their directory as `input_dir_path` instead.
        input_format: How the data is written; `json` unless given.
        options: Options of the run, used where a call is given none.

    Raises:
        InvalidInput: The data does not fit the format.
    """

    data: Any = field(repr=False)
    input_format: ContentFormat | InputFormat | str = field(
        default=ContentFormat.JSON, converter=newest
    )
    options: Options | None = None

    def __attrs_post_init__(self) -> None:
        kind = self.input_format
        if kind not in set(InputFormat):
            raise InvalidInput(
                f"{kind!r} is no input format: use one of {', '.join(InputFormat)}"
            )
        if kind == InputFormat.TEXT and not isinstance(self.data, str):
            raise InvalidInput(
                f"an input of format text must be text, not {type(self.data).__name__}"
            )
        if kind in {InputFormat.CSV_ARCHIVE, InputFormat.MULTI_FILE} and not isinstance(
            self.data, Mapping
        ):
            raise InvalidInput(
                f"an input of format {kind} must be a mapping, not "
                f"{type(self.data).__name__}"
            )
        if kind != InputFormat.TEXT:
            json_text(self.data)

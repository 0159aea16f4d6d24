"""Where the input of a run comes from."""

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Protocol, runtime_checkable

from attrs import evolve, field, frozen, has

from aioruns.errors import InvalidInput
from aioruns.http.codec import converter
from aioruns.platforms.nextmv.models.formats import (
    ContentFormat,
    Format,
    InputFormat,
)
from aioruns.platforms.nextmv.models.inputs import Input, Options
from aioruns.platforms.nextmv.models.managed_inputs import ManagedInput


@runtime_checkable
class HasDict(Protocol):
    """An object that writes itself as a JSON object, such as `nextmv`'s models."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        ...


RunInput = (
    Mapping[str, Any]
    | Sequence[Any]
    | str
    | PathLike[str]
    | Input
    | ManagedInput
    | HasDict
    | None
)
"""A JSON object or array, text, a file or directory, an `Input` or `ManagedInput`."""


@frozen
class Source:
    """Where the input of a run comes from, in the terms of its payload.

    Attributes:
        body: What the vendor's body says of it.
        configuration: Of a run whose caller gives none; None if only the submission
            can tell.
        extra: What is to be done about it at submission.
        options: Options that came with it.
    """

    body: Mapping[str, Any] = field(factory=dict, repr=False)
    configuration: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(factory=dict)
    options: Options | None = field(default=None, repr=False)


def source(
    input: RunInput,
    directory: str | PathLike[str] | None,
    upload_id: str | None,
    managed_input_id: str | None,
) -> Source:
    """Find the one source among those that a caller may give (wire/nextmv.md 3.3.1).

    Data beside an upload id is documented, and only tells the format.

    Raises:
        InvalidInput: There are two, of which one would be lost; or the input is of no
            type that can be sent.
    """
    given = {
        "input": input is not None
        and not (upload_id and _is_data(input) and not managed_input_id),
        "input_dir_path": directory,
        "upload_id": upload_id,
        "managed_input_id": managed_input_id,
    }
    named = [name for name, value in given.items() if value]
    if len(named) > 1:
        raise InvalidInput(
            f"the run has {' and '.join(named)}, of which only one can be used: leave "
            "the others out"
        )
    if managed_input_id:
        return Source({"input_id": managed_input_id})
    if directory:
        extra = {"directory": os.fspath(directory)}
        return Source({}, default_configuration(ContentFormat.MULTI_FILE), extra)
    found = _of_input(input)
    if upload_id:
        return evolve(found, body={"upload_id": upload_id}, extra={})
    return found


def _is_data(input: RunInput) -> bool:
    return not isinstance(input, PathLike | ManagedInput)


def default_configuration(kind: str, output_kind: str | None = None) -> dict[str, Any]:
    """The configuration of a run whose caller gives none.

    The output mirrors the input, except for text (wire/nextmv.md 3.3.1).
    """
    mirrored = ContentFormat.JSON if kind == InputFormat.TEXT else kind
    return {
        "format": {
            "input": {"type": str(kind)},
            "output": {"type": str(output_kind or mirrored)},
        }
    }


def managed_configuration(form: Format | None) -> dict[str, Any]:
    """The configuration that a managed input of this format asks for."""
    if form is None:
        return default_configuration(ContentFormat.JSON)
    return {"format": converter.unstructure(form)}


def _of_input(input: RunInput) -> Source:
    if isinstance(input, Input):
        kind = str(input.input_format)
        extra = {} if kind == ContentFormat.JSON else {"by_upload": True}
        configuration = default_configuration(kind)
        return Source({"input": input.data}, configuration, extra, input.options)
    if isinstance(input, ManagedInput):
        return Source({"input_id": input.id}, managed_configuration(input.format))
    if isinstance(input, str):
        configuration = default_configuration(InputFormat.TEXT)
        return Source({"input": input}, configuration, {"by_upload": True})
    if isinstance(input, PathLike):
        return Source(extra={"path": os.fspath(input)})
    configuration = default_configuration(ContentFormat.JSON)
    return Source({"input": _json_value(input)}, configuration)


def _json_value(input: object) -> object:
    is_json = input is None or isinstance(input, Mapping | Sequence)
    if is_json and not isinstance(input, bytes | bytearray | memoryview):
        return input
    if has(type(input)):
        return converter.unstructure(input)
    if isinstance(input, HasDict):
        return input.to_dict()
    raise InvalidInput(
        "the input must be a JSON object or array, text, a path or an Input, not "
        f"{type(input).__name__}"
    )

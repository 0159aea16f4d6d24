"""Where the input of a run comes from."""

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Protocol, runtime_checkable

from attrs import evolve, field, frozen, has

from aioruns.errors import InvalidInput
from aioruns.http.codec import converter
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.inputs import Input, Options


@runtime_checkable
class HasDict(Protocol):
    """An object that writes itself as a JSON object, such as `nextmv`'s models."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object."""
        ...


RunInput = (
    Mapping[str, Any] | Sequence[Any] | str | PathLike[str] | Input | HasDict | None
)
"""A JSON object or array, text, a file or directory, an `Input` or `ManagedInput`."""


@frozen
class Source:
    """Where the input of a run comes from, in the terms of its payload.

    Attributes:
        body: What the vendor's body says of it.
        extra: What is to be done about it at submission.
        kind: Its format; None if only the submission can tell.
        options: Options that came with it.
    """

    body: Mapping[str, Any] = field(factory=dict, repr=False)
    extra: Mapping[str, Any] = field(factory=dict)
    kind: str | None = ContentFormat.JSON
    options: Options | None = field(default=None, repr=False)


def source(
    input: RunInput,
    directory: str | PathLike[str] | None,
    upload_id: str | None,
    managed_input_id: str | None,
) -> Source:
    """Find the one source among those that a caller may give (wire/nextmv.md 3.3.1).

    An input beside an upload id is documented, and only tells the format.

    Raises:
        InvalidInput: There are two, of which one would be lost; or the input is of no
            type that can be sent.
    """
    given = {
        "input": input is not None
        and (not upload_id or isinstance(input, PathLike) or bool(managed_input_id)),
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
        return Source({"input_id": managed_input_id}, kind=None)
    if directory:
        extra = {"directory": os.fspath(directory)}
        return Source(extra=extra, kind=ContentFormat.MULTI_FILE)
    found = _of_input(input)
    return (
        evolve(found, body={"upload_id": upload_id}, extra={}) if upload_id else found
    )


def _of_input(input: RunInput) -> Source:
    if isinstance(input, Input):
        kind = str(input.input_format)
        extra = {} if kind == ContentFormat.JSON else {"by_upload": True}
        return Source({"input": input.data}, extra, kind, input.options)
    if isinstance(input, str):
        return Source({"input": input}, {"by_upload": True}, InputFormat.TEXT)
    if isinstance(input, PathLike):
        return Source(extra={"path": os.fspath(input)}, kind=None)
    is_json = input is None or isinstance(input, Mapping | Sequence)
    if is_json and not isinstance(input, bytes | bytearray | memoryview):
        return Source({"input": input})
    if has(type(input)):
        return Source({"input": converter.unstructure(input)})
    if isinstance(input, HasDict):
        return Source({"input": input.to_dict()})
    raise InvalidInput(
        "the input must be a JSON object or array, text, a path or an Input, not "
        f"{type(input).__name__}"
    )

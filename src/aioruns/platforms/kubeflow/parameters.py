"""Parameters of a run: JSON values, and the texts that v1beta1 takes them for."""

import json
from collections.abc import Mapping
from typing import Any

from aioruns.errors import InvalidInput

_LONGEST = 10_000
"""Bytes of v1beta1 parameters as JSON; more is refused (wire/kubeflow.md 2.1)."""

_AROUND = len(b'{"name":"","value":""},')
_MOST_BYTES = 6
"""What a character takes at most: `\\u0000`."""

# `json.dumps` would make an encoder each time, which takes most of its 3 us.
_json = json.JSONEncoder(
    allow_nan=False, ensure_ascii=False, separators=(",", ":")
).encode


def checked(parameters: object) -> dict[str, Any]:
    """The parameters as plain JSON values, cut loose from the caller's own objects.

    Raises:
        InvalidInput: They are no mapping of names, or one of them has no JSON form.
    """
    # The exact type first: to ask an abstract class costs more than all the rest.
    if not (type(parameters) is dict or isinstance(parameters, Mapping)):
        raise InvalidInput(
            f"parameters must be a mapping of names, not {type(parameters).__name__}"
        )
    made = {}
    for name, value in parameters.items():
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"a parameter's name must be a text, not {name!r}")
        kind = type(value)
        if kind is int or kind is bool or (kind is str and value.isascii()):
            made[name] = value
            continue
        try:
            made[name] = json.loads(_json(value).encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(
                f"the value of parameter {name!r} has no JSON form: {error}"
            ) from error
    return made


def as_texts(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Values as v1beta1 takes them: text as it is, everything else as its JSON text.

    Raises:
        InvalidInput: They are more than the server takes.
    """
    texts = []
    most = 0
    for name, value in values.items():
        if type(value) is str:
            text = value
        elif type(value) is int:
            text = str(value)
        else:
            text = _json(value)
        texts.append({"name": name, "value": text})
        most += _MOST_BYTES * (len(name) + len(text)) + _AROUND
    if most > _LONGEST:
        size = len(_json(texts).encode())
        if size > _LONGEST:
            raise InvalidInput(
                f"the parameters have {size} bytes as JSON, and the server takes "
                f'{_LONGEST}: with api_version="v2beta1" a stored pipeline has no such '
                "limit, otherwise pass large values by file"
            )
    return texts

"""Checks of the values of a body; what is wrong is collected, to be said at once."""

import re
from collections.abc import Mapping

import orjson

from aioruns.http.codec import Json

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MOST_RETRIES = 9


def put_numbers(
    body: Json, retry_count: object, distribution: object, wrong: list[str]
) -> None:
    """Put the numbers that are given: zero is a value of its own, and is sent."""
    _put_number(body, "retry_count", retry_count, wrong, range(_MOST_RETRIES + 1))
    _put_number(body, "distribution", distribution, wrong)


def _put_number(
    body: Json,
    name: str,
    value: object,
    wrong: list[str],
    allowed: range | None = None,
) -> None:
    if value is None:
        return
    if type(value) is not int or (allowed is not None and value not in allowed):
        bounds = f" from {allowed[0]} to {allowed[-1]}" if allowed else ""
        wrong.append(f"{name} must be a whole number{bounds}, and is {value!r}")
    body[name] = value


def check_id(name: str, value: object, example: str, wrong: list[str]) -> None:
    """An id is text that is not empty."""
    if not isinstance(value, str) or not value:
        wrong.append(f"{name} must be the id of {example}, and is {value!r}")


# Of what may be a mapping the exact type is asked first: to ask the abstract class
# costs as much as all the checks.


def variables(environment: object, wrong: list[str]) -> dict[str, str]:
    """Environment variables: texts by name."""
    if not (type(environment) is dict or isinstance(environment, Mapping)):
        kind = type(environment).__name__
        wrong.append(f"environment must map names to texts, and is a {kind}")
        return {}
    for name, value in environment.items():
        if not isinstance(name, str):
            wrong.append(f"the name {name!r} of an environment variable must be text")
        if not isinstance(value, str):
            # wire/abeja.md 2.1: the platform takes numbers, and the code gets texts.
            # The value is left out of the text: it may be a secret.
            kind = type(value).__name__
            wrong.append(f"the value of {name!r} must be text, not {kind}: use str()")
    return dict(environment)


def check_names(
    names: Mapping[object, str], marker: str, reserved: frozenset[str], wrong: list[str]
) -> None:
    """Names that a shell knows, and that are nobody else's (wire/abeja.md 6.2)."""
    for name in names:
        if not isinstance(name, str):
            continue
        if not _NAME.fullmatch(name):
            wrong.append(
                f"{name!r} cannot name an environment variable: use letters, digits "
                "and _, and no digit first"
            )
        elif name == marker:
            wrong.append(f"{marker} is where the submission key goes: pass key=")
        elif name in reserved:
            wrong.append(f"{name} is set by the platform: choose another name")


def operators(name: str, value: object, wrong: list[str]) -> dict[str, str]:
    """One operator and its payload, given as an object or as JSON text of one."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            wrong.append(f"{_must(name)}, and is text that is not JSON ({error})")
            return {}
    if not (type(value) is dict or isinstance(value, Mapping)):
        wrong.append(f"{_must(name)}, and is a {type(value).__name__}")
        return {}
    for operator, payload in value.items():
        if not (isinstance(operator, str) and isinstance(payload, str)):
            wrong.append(f"{_must(name)}; both must be text")
            break
    return dict(value)


def _must(name: str) -> str:
    return (
        f"{name} must map an operator to its payload, such as "
        '{"$datalake:1": "<channel>/<file>"}'
    )

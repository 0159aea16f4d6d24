"""The body that creates a run, checked before anything is sent (wire/abeja.md 2.1)."""

import re
from collections.abc import Mapping

import orjson

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json

MARKER = "AIORUNS_SUBMIT_KEY"
"""The environment variable that carries the submission key: the API has no place of
its own for one, and echoes this in every row of a listing (wire/abeja.md 6.2)."""

RESERVED = frozenset(  # wire/abeja.md 6.2
    {
        "HANDLER",
        "DATASETS",
        "PLATFORM_AUTH_TOKEN",
        "ABEJA_API_URL",
        "SERVICE_TYPE",
        "PYTHONUNBUFFERED",
        "ABEJA_ORGANIZATION_ID",
        "TRAINING_JOB_DEFINITION_NAME",
        "TRAINING_JOB_DEFINITION_VERSION",
        "TRAINING_JOB_ID",
        "TRAINING_NOTEBOOK_ID",
        "ABEJA_STORAGE_DIR_PATH",
        "ABEJA_TRAINING_RESULT_DIR",
    }
)

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MOST_RETRIES = 9


def run_body(
    version_id: str,
    *,
    input_data: Mapping[str, str] | str | None = None,
    output_template: Mapping[str, str] | str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Json:
    """Check everything at once, and make the body.

    Raises:
        InvalidInput: What is wrong with the values, all of it in one text.
    """
    wrong: list[str] = []
    body: Json = {"version_id": version_id, "environment": {}}
    if not isinstance(version_id, str) or not version_id:
        wrong.append("version_id must be the id of a version, such as 'ver-...'")
    if environment is not None:
        body["environment"] = _environment(environment, wrong)
    for name, value in (
        ("input_data", input_data),
        ("output_template", output_template),
    ):
        if value is not None and (made := _operators(name, value, wrong)):
            body[name] = made
    if model_id is not None:
        if not isinstance(model_id, str) or not model_id:
            wrong.append("model_id must be the id of a model, or None")
        body["models"] = {"alias": model_id}
    _put_number(body, "retry_count", retry_count, wrong, range(_MOST_RETRIES + 1))
    _put_number(body, "distribution", distribution, wrong)
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return body


def _put_number(
    body: Json,
    name: str,
    value: object,
    wrong: list[str],
    allowed: range | None = None,
) -> None:
    """Zero is a value of its own and is sent; None leaves the choice to the server."""
    if value is None:
        return
    if type(value) is not int or (allowed is not None and value not in allowed):
        bounds = f" from {allowed[0]} to {allowed[-1]}" if allowed else ""
        wrong.append(f"{name} must be a whole number{bounds}, and is {value!r}")
    body[name] = value


def _environment(environment: object, wrong: list[str]) -> dict[str, str]:
    if not isinstance(environment, Mapping):
        kind = type(environment).__name__
        wrong.append(f"environment must map names to texts, and is a {kind}")
        return {}
    for name, value in environment.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            wrong.append(
                f"{name!r} cannot name an environment variable: use letters, digits "
                "and _, and no digit first"
            )
        elif name == MARKER:
            wrong.append(f"{MARKER} is where the submission key goes: pass key=")
        elif name in RESERVED:
            wrong.append(f"{name} is set by the platform: choose another name")
        if not isinstance(value, str):
            # The value is left out of the text: it may be a secret.
            kind = type(value).__name__
            wrong.append(f"the value of {name!r} must be text, not {kind}: use str()")
    return dict(environment)


def _operators(name: str, value: object, wrong: list[str]) -> dict[str, str]:
    """One operator and its payload, given as an object or as JSON text of one."""
    must = (
        f"{name} must map an operator to its payload, such as "
        '{"$datalake:1": "<channel>/<file>"}'
    )
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            wrong.append(f"{must}, and is text that is not JSON ({error})")
            return {}
    if not isinstance(value, Mapping):
        wrong.append(f"{must}, and is a {type(value).__name__}")
        return {}
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        wrong.append(f"{must}; both must be text")
    return dict(value)

"""The messages that requests may carry, and the parser that checks them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
from attrs import frozen

from aioruns.local.kubeflow.errors import INVALID, Refusal
from aioruns.local.records import Json


@frozen
class Enum:
    """An enum: name -> number; requests may send either."""

    numbers: Mapping[str, int]


@frozen
class Many:
    """A list of one kind."""

    kind: "Kind"


@frozen
class Message:
    """A message; at most one field of `oneof` may be set."""

    fields: Mapping[str, "Kind"]
    oneof: tuple[str, ...] = ()


Kind = str | Enum | Many | Message
"""`string`, `double`, `int32`, `int64`, `time`, `map`, `json`, or something nested."""

RESOURCE_TYPES = {
    "UNKNOWN_RESOURCE_TYPE": 0,
    "EXPERIMENT": 1,
    "JOB": 2,
    "PIPELINE": 3,
    "PIPELINE_VERSION": 4,
    "NAMESPACE": 5,
}
OPERATORS = {
    "EQUALS": 1,
    "NOT_EQUALS": 2,
    "GREATER_THAN": 3,
    "GREATER_THAN_EQUALS": 5,
    "LESS_THAN": 6,
    "LESS_THAN_EQUALS": 7,
    "IN": 8,
    "IS_SUBSTRING": 9,
}

# wire/kubeflow.md 3.2
METRIC = Message(
    {
        "name": "string",
        "node_id": "string",
        "number_value": "double",
        "format": Enum({"UNSPECIFIED": 0, "RAW": 1, "PERCENTAGE": 2}),
    }
)
REPORT = Message({"run_id": "string", "metrics": Many(METRIC)})
REFERENCE = Message(
    {
        "key": Message({"type": Enum(RESOURCE_TYPES), "id": "string"}),
        "name": "string",
        "relationship": Enum({"UNKNOWN_RELATIONSHIP": 0, "OWNER": 1, "CREATOR": 2}),
    }
)
RUNTIME_CONFIG = Message({"parameters": "map", "pipeline_root": "string"})
RUN_V1 = Message(
    {
        "id": "string",
        "name": "string",
        "storage_state": Enum(
            {"STORAGESTATE_AVAILABLE": 0, "STORAGESTATE_ARCHIVED": 1}
        ),
        "description": "string",
        "pipeline_spec": Message(
            {
                "pipeline_id": "string",
                "pipeline_name": "string",
                "workflow_manifest": "string",
                "pipeline_manifest": "string",
                "parameters": Many(Message({"name": "string", "value": "string"})),
                "runtime_config": RUNTIME_CONFIG,
            }
        ),
        "resource_references": Many(REFERENCE),
        "service_account": "string",
        "created_at": "time",
        "scheduled_at": "time",
        "finished_at": "time",
        "status": "string",
        "error": "string",
        "metrics": Many(METRIC),
    }
)

# wire/kubeflow.md 3.3; what only the server writes is accepted and not looked into
RUN_V2 = Message(
    {
        "experiment_id": "string",
        "run_id": "string",
        "display_name": "string",
        "storage_state": Enum(
            {"STORAGE_STATE_UNSPECIFIED": 0, "AVAILABLE": 1, "ARCHIVED": 2}
        ),
        "description": "string",
        "pipeline_version_id": "string",
        "pipeline_spec": "map",
        "pipeline_version_reference": Message(
            {"pipeline_id": "string", "pipeline_version_id": "string"}
        ),
        "runtime_config": RUNTIME_CONFIG,
        "service_account": "string",
        "created_at": "time",
        "scheduled_at": "time",
        "finished_at": "time",
        "state": "json",
        "error": "json",
        "run_details": "json",
        "recurring_run_id": "string",
        "state_history": "json",
        "plugins_input": "json",
        "plugins_output": "json",
    },
    oneof=("pipeline_version_id", "pipeline_spec", "pipeline_version_reference"),
)

# wire/kubeflow.md 5.2
_VALUES: dict[str, Kind] = {
    "int_value": "int32",
    "long_value": "int64",
    "string_value": "string",
    "timestamp_value": "time",
    "int_values": Message({"values": Many("int32")}),
    "long_values": Message({"values": Many("int64")}),
    "string_values": Message({"values": Many("string")}),
}


def filter_message(version: str) -> Message:
    """The filter of a REST version: only the operator's key differs."""
    key, zero = "operation", "OPERATION_UNSPECIFIED"
    if version == "v1beta1":
        key, zero = "op", "UNKNOWN"
    operators = Enum({zero: 0, **OPERATORS})
    fields: dict[str, Kind] = {key: operators, "key": "string", **_VALUES}
    return Message({"predicates": Many(Message(fields, oneof=tuple(_VALUES)))})


def loads(data: bytes | str) -> Json:
    """Parse JSON text; an empty body is an empty message.

    Raises:
        Refusal: 400 when it is not JSON; a bare NaN is not (wire/kubeflow.md 3.1).
    """
    if not data:
        return {}
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _bad(f"it is not valid JSON: {error}") from None


def parse(kind: Kind, value: Json, *, strict: bool, where: str = "the body") -> Json:
    """Check a JSON value against a kind, and give its keys their snake_case names.

    Args:
        kind: What is expected.
        value: What was sent.
        strict: Refuse unknown keys, as G3 does with bodies and all do with filters.
        where: Names the value in errors.

    Returns:
        The value; enums as names, times as seconds since 1970; null and absent keys
        are left out.

    Raises:
        Refusal: 400, as the gateway answers.
    """
    if isinstance(kind, Message):
        return _message(kind, value, strict=strict, where=where)
    if isinstance(kind, Many):
        if not isinstance(value, list):
            raise _bad(f"{where} must be a list")
        return [
            parse(kind.kind, item, strict=strict, where=f"{where}[{n}]")
            for n, item in enumerate(value)
        ]
    if isinstance(kind, Enum):
        return _enum(kind, value, where)
    return _scalar(kind, value, where)


def _message(kind: Message, value: Json, *, strict: bool, where: str) -> Json:
    if not isinstance(value, dict):
        raise _bad(f"{where} must be an object")
    known: dict[str, Json] = {}
    for sent, item in value.items():
        key = re.sub(r"[A-Z]", lambda sign: "_" + sign.group().lower(), sent)
        if key not in kind.fields:
            if strict:
                raise _bad(f'unknown field "{sent}" in {where}')
            continue
        if item is None and kind.fields[key] != "json":
            continue
        known[key] = parse(kind.fields[key], item, strict=strict, where=key)
    chosen = [key for key in kind.oneof if key in known]
    if len(chosen) > 1:
        raise _bad(f"{where} has more than one of {', '.join(chosen)}")
    return known


def _enum(kind: Enum, value: Json, where: str) -> str:
    for name, number in kind.numbers.items():
        if value == name or (value == number and not isinstance(value, bool)):
            return name
    raise _bad(f"{value!r} is not a value of the enum {where}")


def _scalar(kind: str, value: Json, where: str) -> Json:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "json":
            return value
        case "map" if isinstance(value, dict):
            return value
        case "string" if isinstance(value, str):
            return value
        case "time" if isinstance(value, str):
            return seconds(value, where)
        case "double" if number or value in ("NaN", "Infinity", "-Infinity"):
            return float(value)
        case "int32" | "int64" if number or (kind == "int64" and _digits(value)):
            if int(value) == float(value) and abs(int(value)) < 2 ** (
                int(kind[3:]) - 1
            ):
                return int(value)
    raise _bad(f"{where} must be a {kind}, not {value!r}")


def _digits(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value) is not None


def seconds(text: str, where: str) -> int:
    """RFC 3339 text as whole seconds since 1970; finer precision is dropped."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad(f"{where} must be a time such as 2024-05-01T10:00:00Z") from None
    if moment.tzinfo is None:
        raise _bad(f"{where} must name its time zone, for example Z")
    return int(moment.astimezone(UTC).timestamp())


def _bad(message: str) -> Refusal:
    return Refusal(INVALID, message, gateway=True)

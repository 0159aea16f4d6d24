"""What a run is to be run with: the configurations of version, instance and run."""

from collections.abc import Mapping

from attrs import frozen

from aioruns.local.nextmv.answers import Refusal, compact, object_of, text_of
from aioruns.local.nextmv.layout import FORMATS, usual_format
from aioruns.local.records import Json

EXECUTION_CLASS = "6c9500mb870s"
DEFAULT_PRIORITY = 6
"""Of 1, the first, to 9."""

_TEMPLATE = ("-{{name}}", "{{value}}")


@frozen
class Layer:
    """A configuration and whose it is: `version`, `instance` or `run`."""

    source: str
    configuration: Mapping[str, Json]


def merged(layers: list[Layer]) -> dict[str, Json]:
    """Later configurations over earlier ones, key by key; null says nothing."""
    result: dict[str, Json] = {}
    for layer in layers:
        result |= {k: v for k, v in layer.configuration.items() if v is not None}
    if text_of(result, "integration_id"):
        result["execution_class"] = "integration"  # wire/nextmv.md 4.3
    return result


def text_value(value: Json) -> str:
    """An option's value as programs get it."""
    return value if isinstance(value, str) else compact(value)


def summary_of(layers: list[Layer]) -> list[dict[str, Json]]:
    """The options with the layer that each value comes from."""
    values: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for name, value in object_of(layer.configuration, "options").items():
            values[name] = (text_value(value), layer.source)
    return [
        {"name": name, "value": value, "source": source}
        for name, (value, source) in values.items()
    ]


def format_of(
    layers: list[Layer], given: Json, requirements: Mapping[str, Json]
) -> dict[str, Json]:
    """The format of a run: what it says itself, or its input, or what is beneath.

    Args:
        layers: The configurations; the last one is the run's own.
        given: The format of a managed input, or None.
        requirements: Of the binary.
    """
    own = object_of(layers[-1].configuration, "format")
    beneath = object_of(merged(layers[:-1]), "format")
    chosen = own or (given if isinstance(given, dict) else {}) or beneath
    ours = text_of(object_of(chosen, "input"), "type") or usual_format(requirements)
    mirrored = "json" if ours == "text" else ours
    theirs = text_of(object_of(chosen, "output"), "type") or mirrored
    for kind in (ours, theirs):
        if kind not in FORMATS:
            raise Refusal(400, f"The format '{kind}' is not known.")
    return {"input": {"type": ours}, "output": {"type": theirs}}


def queuing_of(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """`queuing`, checked."""
    queuing = object_of(configuration, "queuing")
    priority, disabled = queuing.get("priority"), queuing.get("disabled")
    if priority is not None and (type(priority) is not int or not 1 <= priority <= 9):
        raise Refusal(400, "`queuing.priority` must be an integer from 1 to 9.")
    if disabled is not None and not isinstance(disabled, bool):
        raise Refusal(400, "`queuing.disabled` must be true or false.")
    return queuing


# -- the options that a program declares (wire/nextmv.md 6.1) ------------------------


def _declared(requirements: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    items = object_of(requirements, "options").get("items")
    return {
        item["name"]: item
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and item.get("name") and not item.get("local_only")
    }


def defaults_of(requirements: Mapping[str, Json]) -> dict[str, Json]:
    """The values that declared options have when nobody gives one."""
    return {
        name: item["default"]
        for name, item in _declared(requirements).items()
        if item.get("default") is not None
    }


def check_options(requirements: Mapping[str, Json], options: Mapping[str, str]) -> None:
    """Refuse options that the program's declaration rules out (400)."""
    declared = _declared(requirements)
    told = object_of(requirements, "options")
    if told.get("strict") is True and (unknown := sorted(set(options) - set(declared))):
        raise Refusal(400, f"The program has no option '{unknown[0]}', and is strict.")
    if object_of(told, "validation").get("enforce") != "all":
        return
    for name, item in declared.items():
        if name not in options:
            if item.get("required") is True:
                raise Refusal(400, f"The option '{name}' is required.")
            continue
        kind = item.get("option_type") or item.get("type")
        if not _fits(kind, options[name]):
            raise Refusal(400, f"The option '{name}' must be a {kind}.")


def _fits(kind: Json, value: str) -> bool:
    if kind == "bool":
        return value.lower() in {"true", "false"}
    if kind in {"int", "float"}:
        try:
            (int if kind == "int" else float)(value)
        except ValueError:
            return False
    return True


def arguments(
    requirements: Mapping[str, Json], options: Mapping[str, str]
) -> list[str]:
    """Options as a command gets them, by the program's own templates."""
    template = object_of(requirements, "options").get("format")
    if isinstance(template, dict):
        template = template.get("template")
    if not isinstance(template, list) or not template:
        template = _TEMPLATE
    return [
        str(part).replace("{{name}}", name).replace("{{value}}", value)
        for name, value in options.items()
        for part in template
    ]

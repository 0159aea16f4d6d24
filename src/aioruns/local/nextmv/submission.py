"""What a new run asks for: reading and judging the body of `POST .../runs`."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from aioruns.local.nextmv.answers import Refusal, object_of, text_of
from aioruns.local.nextmv.binaries import latest
from aioruns.local.nextmv.configuration import (
    EXECUTION_CLASS,
    Layer,
    check_options,
    defaults_of,
    format_of,
    merged,
    queuing_of,
    summary_of,
)
from aioruns.local.nextmv.desk import Desk, slug
from aioruns.local.nextmv.inputs import GivenInput
from aioruns.local.records import Json

LATEST = "latest"
"""The instance that always runs the most recent binary (wire/nextmv.md 3.3.1)."""


@frozen
class Target:
    """What is to run."""

    instance_id: str
    version_id: str
    binary: dict[str, Json]
    layers: list[Layer] = field(factory=list)
    """The configurations of the version and the instance."""

    def run_id(self) -> str:
        """A new run id, which begins with the instance's if that reads well."""
        plain = re.fullmatch(r"[A-Za-z0-9._-]+", self.instance_id)
        return f"{self.instance_id if plain else 'run'}-{slug(12)}"


NOTHING = Target("", "", {"id": "", "requirements": {}})
"""Of runs that this server does not execute itself."""


def target(
    desk: Desk, app: str, instance_id: str | None, version_id: str | None = None
) -> Target:
    """Find what is to run.

    Args:
        desk: Where to look.
        app: The application's id.
        instance_id: The instance; if missing, the application's default, unless there
            is a version.
        version_id: Runs in place of the instance's own version.
    """
    application = desk.find("applications", app)
    assert application is not None
    wanted = instance_id or ""
    if not wanted and not version_id:
        wanted = application.get("default_instance") or LATEST
    instance = desk.find(f"instances/{app}", wanted) if wanted else None
    above = [Layer("instance", instance["configuration"])] if instance else []
    if version_id or instance:
        version_id = version_id or instance["version_id"]  # type: ignore[index] # one of both is there
        return _versioned(desk, app, wanted, version_id, above)
    if wanted == LATEST:
        binary = latest(desk, app)
        if binary is None:
            raise Refusal(400, f"Application '{app}' has no binary: push one first.")
        return Target(LATEST, "", binary, [_defaults(binary)])
    raise Refusal(404, f"Application '{app}' has no instance '{wanted}'.")


def _versioned(
    desk: Desk, app: str, instance_id: str, version_id: str, above: list[Layer]
) -> Target:
    version = desk.find(f"versions/{app}", version_id)
    if version is None:
        raise Refusal(
            400,
            f"Application '{app}' has no version '{version_id}'; it may have been "
            "deleted since instances were made of it.",
        )
    binary = desk.find(f"binaries/{app}", version["executable"]["id"])
    assert binary is not None
    own = Layer("version", version.get("configuration") or {})
    layers = [_defaults(binary), own, *above]
    return Target(instance_id, version_id, binary, layers)


def _defaults(binary: Mapping[str, Json]) -> Layer:
    return Layer("version", {"options": defaults_of(binary["requirements"])})


def run_type_of(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The kind of run that a body asks for, with both ids it may have."""
    sent = object_of(object_of(fields, "configuration"), "run_type")
    kind = text_of(sent, "type") or "standard"
    if kind not in {"standard", "external", "ensemble", "ensemble-child"}:
        raise Refusal(400, f"There are no runs of type '{kind}'.")
    return {
        "type": kind,
        "definition_id": text_of(sent, "definition_id"),
        "reference_id": text_of(sent, "reference_id"),
    }


def _request_options(fields: Mapping[str, Json]) -> dict[str, Json]:
    options = object_of(fields, "options")
    if not all(isinstance(value, str) for value in options.values()):
        raise Refusal(400, "The values of `options` must be strings.")
    return options


def detail_of(
    wanted: Target, fields: Mapping[str, Json], given: GivenInput
) -> dict[str, Json]:
    """What the façade keeps of a run beside what the engine keeps."""
    sent = object_of(fields, "configuration")
    options = _request_options(fields)
    requirements = wanted.binary["requirements"]
    layers = [*wanted.layers, Layer("run", {**sent, "options": options})]
    configuration = merged(layers)
    summary = summary_of(layers)
    active = {option["name"]: option["value"] for option in summary}
    check_options(requirements, active)
    tracking = object_of(fields, "tracking")
    if given.managed_id:
        tracking["input_id"] = given.managed_id
    integration = text_of(configuration, "integration_id")
    return {
        "name": text_of(fields, "name"),
        "description": text_of(fields, "description"),
        "instance_id": wanted.instance_id,
        "version_id": wanted.version_id,
        "format": format_of(layers, given.format, requirements),
        "run_type": run_type_of(fields),
        "execution_class": text_of(configuration, "execution_class") or EXECUTION_CLASS,
        "runtime": requirements.get("runtime", ""),
        "options": active,
        "options_summary": summary,
        "request_options": options,
        "queuing": queuing_of(configuration),
        "secrets_collection_id": text_of(configuration, "secrets_collection_id")
        or None,
        "integration_id": integration or None,
        "experiment_id": text_of(fields, "batch_experiment_id") or None,
        "input_id": given.managed_id,
        "input_size": given.size,
        "tracking": tracking or None,
    }

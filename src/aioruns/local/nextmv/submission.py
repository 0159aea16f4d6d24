"""What a new run asks for: reading and judging the body of `POST .../runs`."""

import re
from collections.abc import Mapping

from attrs import frozen

from aioruns.local.nextmv.answers import (
    INLINE_LIMIT,
    PLATFORM,
    Refusal,
    compact,
    object_of,
    text_of,
)
from aioruns.local.nextmv.binaries import latest
from aioruns.local.nextmv.desk import Desk, slug
from aioruns.local.nextmv.presigned import upload_blob
from aioruns.local.records import Json

LATEST = "latest"
"""The instance that always runs the most recent binary (wire/nextmv.md 3.3.1)."""

_EXECUTION_CLASS = "6c9500mb870s"


@frozen
class Target:
    """What is to run."""

    instance_id: str
    version_id: str
    binary: dict[str, Json]
    configuration: dict[str, Json]
    """Of the instance."""

    def run_id(self) -> str:
        """A new run id, which begins with the instance's if that reads well."""
        plain = re.fullmatch(r"[A-Za-z0-9._-]+", self.instance_id)
        return f"{self.instance_id if plain else 'run'}-{slug(12)}"


def target(desk: Desk, app: str, instance_id: str | None) -> Target:
    """Find what an instance runs; without one, the application's default."""
    application = desk.find("applications", app)
    assert application is not None
    wanted = instance_id or application.get("default_instance") or LATEST
    instance = desk.find(f"instances/{app}", wanted)
    if instance is None and wanted == LATEST:
        binary = latest(desk, app)
        if binary is None:
            raise Refusal(400, f"Application '{app}' has no binary: push one first.")
        return Target(LATEST, "", binary, {})
    if instance is None:
        raise Refusal(404, f"Application '{app}' has no instance '{wanted}'.")
    version = desk.find(f"versions/{app}", instance["version_id"])
    if version is None:
        raise Refusal(
            400,
            f"Instance '{wanted}' of application '{app}' runs the version "
            f"'{instance['version_id']}', which was deleted.",
        )
    binary = desk.find(f"binaries/{app}", version["executable"]["id"])
    assert binary is not None
    return Target(wanted, version["id"], binary, instance["configuration"])


async def stdin_of(desk: Desk, app: str, fields: Mapping[str, Json]) -> bytes:
    """The input, inline or uploaded before."""
    given = [k for k in ("input_id", "upload_id", "input") if fields.get(k) is not None]
    if len(given) > 1:
        raise Refusal(400, f"`{given[0]}` and `{given[1]}` exclude each other.")
    if text_of(fields, "input_id"):
        raise Refusal(400, "This server has no managed inputs: send or upload it.")
    if upload_id := text_of(fields, "upload_id"):
        data = await desk.engine.blob(PLATFORM, upload_blob(app, upload_id))
        if data is None:
            raise Refusal(
                400,
                f"Nothing was uploaded under '{upload_id}': ask for an upload URL and "
                "put the input to it first.",
            )
        return data
    data = compact(fields.get("input")).encode()
    if len(data) > INLINE_LIMIT:
        raise Refusal(
            413,
            f"The input has {len(data)} bytes; more than {INLINE_LIMIT} must be "
            "uploaded: ask for an upload URL.",
        )
    return data


def _format_of(configuration: Mapping[str, Json]) -> dict[str, Json]:
    given = object_of(configuration, "format")
    ours = text_of(object_of(given, "input"), "type") or "json"
    theirs = text_of(object_of(given, "output"), "type") or "json"
    for kind in (ours, theirs):
        if kind in {"multi-file", "csv-archive"}:
            raise Refusal(
                400, f"This server runs json and text, and no '{kind}' inputs yet."
            )
        if kind not in {"json", "text"}:
            raise Refusal(400, f"The format '{kind}' is not known.")
    return {"input": {"type": ours}, "output": {"type": theirs}}


def _options(source: str, values: Mapping[str, Json]) -> dict[str, tuple[str, str]]:
    if source == "run" and not all(isinstance(v, str) for v in values.values()):
        raise Refusal(400, "The values of `options` must be strings.")
    return {
        k: (v if isinstance(v, str) else compact(v), source) for k, v in values.items()
    }


def detail_of(wanted: Target, fields: Mapping[str, Json]) -> dict[str, Json]:
    """What the façade keeps of a run beside what the engine keeps.

    The configuration of the run goes over the instance's, key by key.
    """
    sent = object_of(fields, "configuration")
    configuration = wanted.configuration | {
        k: v for k, v in sent.items() if v is not None
    }
    kind = text_of(object_of(configuration, "run_type"), "type")
    if kind not in {"", "standard"}:
        raise Refusal(400, f"This server has no runs of type '{kind}' yet.")
    if fields.get("result") is not None:
        raise Refusal(400, "This server does not track external runs yet.")
    request_options = object_of(fields, "options")
    merged = _options("instance", object_of(wanted.configuration, "options"))
    merged |= _options("run", request_options)
    return {
        "name": text_of(fields, "name"),
        "description": text_of(fields, "description"),
        "instance_id": wanted.instance_id,
        "version_id": wanted.version_id,
        "format": _format_of(configuration),
        "execution_class": text_of(configuration, "execution_class")
        or _EXECUTION_CLASS,
        "runtime": wanted.binary["requirements"]["runtime"],
        "options": {name: value for name, (value, _) in merged.items()},
        "options_summary": [
            {"name": name, "value": value, "source": source}
            for name, (value, source) in merged.items()
        ],
        "request_options": request_options,
        "queuing": object_of(configuration, "queuing"),
        "secrets_collection_id": text_of(configuration, "secrets_collection_id")
        or None,
        "experiment_id": text_of(fields, "batch_experiment_id") or None,
        "tracking": object_of(fields, "tracking") or None,
    }

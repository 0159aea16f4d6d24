"""The handle of an application: specs, submissions, pushes."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from aioruns.errors import InvalidInput, NotFound
from aioruns.http.codec import encode
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.handing_on import handed_on
from aioruns.platforms.nextmv.push import push
from aioruns.platforms.nextmv.versions import Versions
from aioruns.runs import Run, RunSpec

Input = Mapping[str, Any] | Sequence[Any] | str | None
"""A JSON object or array, or text for an application that reads text."""

_LONGEST_NAME = 128
_LONGEST_DESCRIPTION = 180
"""Characters; the platform keeps 256, of which the submission key takes its part."""


class Application:
    """An application on Nextmv, reached by its id.

    Args:
        client: The platform.
        id: The application's id.
    """

    def __init__(self, client: Client, id: str) -> None:
        if not id:
            raise InvalidInput("the application id must not be empty")
        self.client = client
        self.id = id
        self.versions = Versions(client, id)

    def __repr__(self) -> str:
        return f"Application({self.client!r}, {self.id!r})"

    @classmethod
    async def new(
        cls,
        client: Client,
        name: str,
        id: str,
        description: str | None = None,
        *,
        exist_ok: bool = False,
    ) -> Self:
        """Create an application.

        Args:
            client: The platform.
            name: Name for people.
            id: The id; yours to choose, so creating it twice makes one application.
            description: Text for people.
            exist_ok: Whether an application that exists already is taken as it is.

        Raises:
            Conflict: There is one with this id, and `exist_ok` is false.
        """
        handle = cls(client, id)
        if not (exist_ok and await cls.exists(client, id)):
            await client.send(requests.new_application(id, name, description))
        return handle

    @classmethod
    async def exists(cls, client: Client, id: str) -> bool:
        """Whether there is an application with this id."""
        try:
            await client.send(requests.get_application(id))
        except NotFound:
            return False
        return True

    async def push(self, app_dir: str | Path = ".") -> None:
        """Build, pack and upload a directory with an `app.yaml`, and make it current.

        Args:
            app_dir: The application's directory.

        Raises:
            InvalidInput: The manifest, or a file that it names, is missing or wrong;
                nothing was sent.
            CallError: The upload failed.
        """
        await push(self.client, self.id, Path(app_dir))

    def spec(
        self,
        input: Input = None,
        *,
        options: Mapping[str, object] | None = None,
        name: str | None = None,
        description: str | None = None,
        instance_id: str | None = None,
        configuration: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> RunSpec:
        """Describe a run; nothing is sent.

        Args:
            input: A JSON object or array, or text. More than 5 MiB, and text, go by way
                of an upload when the run is submitted.
            options: Options of the run; values that are not text become JSON text.
            name: Name for people, 128 characters at most.
            description: Text for people, 180 characters at most; the submission key is
                added to it, so that the run can be found again.
            instance_id: Which instance runs; None lets the application decide.
            configuration: The vendor's run configuration, used as it is; without one
                the format follows from the input.
            key: The submission key; None makes a new one for every submission.

        Raises:
            InvalidInput: Something in it cannot be right.
        """
        is_text = isinstance(input, str)
        is_bytes = isinstance(input, bytes | bytearray | memoryview)
        is_json = input is None or isinstance(input, Mapping | Sequence)
        if is_bytes or not (is_text or is_json):
            raise InvalidInput(
                "the input must be a JSON object or array, or text, not "
                f"{type(input).__name__}"
            )
        body: dict[str, object] = {"input": input}
        _add_text(body, "name", name, _LONGEST_NAME)
        _add_text(body, "description", description, _LONGEST_DESCRIPTION)
        _check_mapping("options", options)
        _check_mapping("configuration", configuration)
        if instance_id is not None and not (
            isinstance(instance_id, str) and instance_id
        ):
            raise InvalidInput(
                f"instance_id must be the id of an instance, not {instance_id!r}"
            )
        if options:
            body["options"] = {
                _option_name(option): _option_text(option, value)
                for option, value in options.items()
            }
        body["configuration"] = (
            _default_configuration("text" if is_text else "json")
            if configuration is None
            else dict(configuration)
        )
        try:
            _json_text(body)
        except TypeError as error:
            raise InvalidInput(f"the run cannot be written as JSON: {error}") from error
        payload = {"body": body, "instance_id": instance_id}
        return self.client.runs.spec(self.id, payload, key)

    async def submit(
        self,
        input: Input = None,
        *,
        options: Mapping[str, object] | None = None,
        name: str | None = None,
        description: str | None = None,
        instance_id: str | None = None,
        configuration: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> Run:
        """Submit a run, so that it exists once; arguments as of `spec`.

        Raises:
            InvalidInput: Something in it cannot be right; nothing was sent.
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        spec = self.spec(
            input,
            options=options,
            name=name,
            description=description,
            instance_id=instance_id,
            configuration=configuration,
            key=key,
        )
        return await spec.submit()

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        return self.client.runs.run(self.id, run_id)

    # The documented names, each handed on to the resource that it is about.

    new_version = handed_on("versions", Versions.new_version)
    version = handed_on("versions", Versions.version)
    version_exists = handed_on("versions", Versions.version_exists)
    list_versions = handed_on("versions", Versions.list_versions)
    update_version = handed_on("versions", Versions.update_version)
    delete_version = handed_on("versions", Versions.delete_version)


def _add_text(
    body: dict[str, object], name: str, value: str | None, longest: int
) -> None:
    if value is None:
        return
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidInput(f"{name} must be text of at most {longest} characters")
    body[name] = value


def _check_mapping(name: str, value: object) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise InvalidInput(f"{name} must be a mapping, not {type(value).__name__}")


def _json_text(value: object) -> bytes:
    """Encode, and refuse what the encoder would silently turn into null.

    Raises:
        TypeError: The value, or a part of it, has no JSON form.
    """
    text = encode(value)
    if b"null" in text:
        parts = [value]
        while parts:
            part = parts.pop()
            if isinstance(part, float) and not math.isfinite(part):
                raise TypeError(f"{part} is no JSON number")
            if isinstance(part, Mapping):
                parts.extend(part.values())
            elif isinstance(part, list | tuple):
                parts.extend(part)
    return text


def _option_name(option: object) -> str:
    if not isinstance(option, str) or not option:
        raise InvalidInput(f"an option's name must be text, not {option!r}")
    return option


def _option_text(option: str, value: object) -> str:
    """Text as it is, everything else as compact JSON (wire/nextmv.md 3.3.1)."""
    if isinstance(value, str):
        return value
    try:
        return _json_text(value).decode()
    except TypeError as error:
        raise InvalidInput(f"option {option!r} cannot be sent: {error}") from error


def _default_configuration(kind: str) -> dict[str, object]:
    """The output mirrors the input, except for text (wire/nextmv.md 3.3.1)."""
    return {"format": {"input": {"type": kind}, "output": {"type": "json"}}}

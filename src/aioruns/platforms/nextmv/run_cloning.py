"""Runs made from other runs (wire/nextmv.md 3.13)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from aioruns.http.codec import Json, converter
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.describing import Configuration, describe
from aioruns.platforms.nextmv.downloads import temporary_directory
from aioruns.platforms.nextmv.jsontext import JsonConfigurations
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.information import Metadata, RunInformation
from aioruns.platforms.nextmv.models.inputs import Options
from aioruns.platforms.nextmv.run_reading import RunReading
from aioruns.platforms.nextmv.sending import send
from aioruns.platforms.nextmv.sources import RunInput, source
from aioruns.platforms.nextmv.things import given

_LONGEST_NAME = 128
_LONGEST_DESCRIPTION = 256


class RunCloning:
    """Clones runs; reached as `application.run_cloning`.

    Args:
        client: The platform.
        app_id: The application.
        reading: Reads the runs that are cloned.
        default_instance_id: The instance of clones of runs that had none.
    """

    def __init__(
        self,
        client: Client,
        app_id: str,
        reading: RunReading,
        default_instance_id: str | None = None,
    ) -> None:
        self._client = client
        self._app_id = app_id
        self._reading = reading
        self._default_instance_id = default_instance_id

    async def clone_run(
        self,
        cloned_run_id: str,
        input: RunInput = None,
        instance_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        upload_id: str | None = None,
        options: Options | None = None,
        configuration: Configuration | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        managed_input_id: str | None = None,
    ) -> str:
        """Submit a run like another one, with what is given here changed.

        Like `new_run` it is sent once. The input is read only where it is sent again;
        files go by way of a temporary directory.

        Args:
            cloned_run_id: The run to clone.
            input: Another input, as of `new_run`.
            instance_id: Another instance.
            name: Another name; `... clone` if not given. Cut to 128 characters.
            description: Another description; `Clone of ...` if not given. Cut to 256
                characters.
            upload_id: Another input, which was uploaded before.
            options: Other options; all of those of the run are replaced.
            configuration: What to change in the configuration of the run; the rest of
                it stays.
            json_configurations: Arguments of `json.dumps` for everything that is sent.
            input_dir_path: A directory whose files are the input.
            managed_input_id: Another managed input.

        Returns:
            The run id of the clone.

        Raises:
            InvalidInput: Something in it cannot be right.
            NotFound: There is no such run.
            OutcomeUnknown: The submission left and was not answered.
            CallError: The platform refused, or could not be asked.
        """
        run = await self._reading.run_information(cloned_run_id)
        own = any(
            value is not None
            for value in (input, upload_id, input_dir_path, managed_input_id)
        )
        tracked = run.metadata.tracking
        if not own and tracked is not None and tracked.input_id:
            managed_input_id = tracked.input_id
        settings = _settings(run.metadata, configuration)
        if own and not managed_input_id and "format" not in _written(configuration):
            found = source(input, input_dir_path, upload_id, None)
            settings |= found.configuration or {}
        async with self._input(run, wanted=not own and managed_input_id is None) as (
            read,
            directory,
        ):
            payload = describe(
                read if input is None else input,
                instance_id
                or run.metadata.application_instance_id
                or self._default_instance_id,
                name[:_LONGEST_NAME] if name else _name(run),
                (description or _description(run))[:_LONGEST_DESCRIPTION],
                upload_id,
                options or _options(run.metadata),
                settings,
                json_configurations=json_configurations,
                input_dir_path=input_dir_path or directory,
                managed_input_id=managed_input_id,
            )
            payload["body"]["tracking"] = {"cloned_run_id": cloned_run_id}
            return await send(self._client, self._app_id, payload)

    @asynccontextmanager
    async def _input(
        self, run: RunInformation, *, wanted: bool
    ) -> AsyncIterator[tuple[Any, Path | None]]:
        """The input of the run: a value, or a directory that is deleted at the end."""
        if not wanted:
            yield None, None
        elif run.metadata.content_format in {ContentFormat.JSON, InputFormat.TEXT}:
            yield await self._reading.run_input(run.id), None
        else:
            async with temporary_directory() as directory:
                await self._reading.run_input(run.id, directory)
                yield None, directory


def _written(configuration: Configuration | None) -> Json:
    """A configuration as it would be sent; empty where there is none."""
    if configuration is None:
        return {}
    made: Json = describe(configuration=configuration)["body"]["configuration"]
    return made


def _settings(metadata: Metadata, configuration: Configuration | None) -> Json:
    """The configuration of the run, changed by the caller's."""
    own = _written(configuration)
    integration = metadata.integration.integration_id if metadata.integration else None
    queuing = given(
        priority=metadata.queuing_priority, disabled=metadata.queuing_disabled
    )
    kept = given(
        execution_class=metadata.execution_class or None,
        format=metadata.format,
        run_type=metadata.run_type,
        secrets_collection_id=metadata.secrets_collection_id or None,
        integration_id=integration,
    )
    made: Json = {**converter.unstructure(kept), **own}
    if queuing := {**queuing, **own.get("queuing", {})}:
        made["queuing"] = queuing
    # What does not go together is said before anything else is read.
    return _written(made)


def _options(metadata: Metadata) -> Json | None:
    summary = metadata.options.options_summary if metadata.options else None
    return {option.name: option.value for option in summary} if summary else None


def _name(run: RunInformation) -> str:
    suffix = " clone"
    return (run.name or run.id)[: _LONGEST_NAME - len(suffix)] + suffix


def _description(run: RunInformation) -> str:
    return f"Clone of {run.description or run.id}"

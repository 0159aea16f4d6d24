"""Runs of an application, under their documented names (wire/nextmv.md 3.3)."""

from os import PathLike

from aioruns.http.request import Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.describing import (
    Configuration,
    ExternalResult,
    describe,
)
from aioruns.platforms.nextmv.jsontext import JsonConfigurations
from aioruns.platforms.nextmv.models.inputs import Options
from aioruns.platforms.nextmv.models.tracking import TrackedRun
from aioruns.platforms.nextmv.sending import no_run_yet, prepared, submitted
from aioruns.platforms.nextmv.sources import RunInput
from aioruns.platforms.nextmv.tracking import track


class RunOperations:
    """Starts and tracks runs; reached as `application.runs`.

    Args:
        client: The platform.
        app_id: The application.
        default_instance_id: The instance that runs where a call names none; None lets
            the platform decide.
    """

    def __init__(
        self, client: Client, app_id: str, default_instance_id: str | None = None
    ) -> None:
        self._client = client
        self._app_id = app_id
        self.default_instance_id = default_instance_id

    async def new_run(
        self,
        input: RunInput = None,
        instance_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        upload_id: str | None = None,
        options: Options | None = None,
        configuration: Configuration | None = None,
        batch_experiment_id: str | None = None,
        external_result: ExternalResult | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        managed_input_id: str | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Submit a run exactly as it is given, and return its id.

        What is sent is what the official client sends, so the run carries no key by
        which it could be found again. The submission is therefore sent once: if its
        outcome stays open, `OutcomeUnknown` says so, and there may be a run.
        `Application.submit` takes the same arguments, finds its run again, and is the
        safe choice wherever the description may carry a key.

        Args:
            input: A JSON object or array; text; a path to a file or directory; or an
                `Input`. JSON up to 5 MiB goes with the request, everything else goes by
                way of an upload.
            instance_id: Which instance runs; the application's default if not given.
            name: Name for people.
            description: Text for people.
            upload_id: Data that was uploaded before; an input then only tells the
                format.
            options: Options by name; values that are not text become JSON text. Without
                them, those of an `Input` count.
            configuration: Used as it is; without it the format follows from the input.
            batch_experiment_id: An existing batch experiment that the run belongs to.
            external_result: What became of a run that was executed elsewhere; see
                `track_run`.
            json_configurations: Arguments of `json.dumps` for everything that is sent;
                they are not changed.
            input_dir_path: A directory whose files are the input. They are packed into
                a temporary file, without following links, and streamed. Files named
                `inputs.tar.gz` are left out.
            managed_input_id: A managed input.
            progress: Called with the bytes uploaded so far and all bytes of a file or
                directory.

        Returns:
            The run id.

        Raises:
            InvalidInput: Something in it cannot be right, or there are two inputs of
                which one would be lost; nothing was sent.
            OutcomeUnknown: The submission left and was not answered.
            CallError: The platform refused, or an upload failed.

        Example:
            ```python
            run_id = await app.new_run({"stops": stops}, options={"seed": 7})
            ```
        """
        payload = describe(
            input,
            instance_id or self.default_instance_id,
            name,
            description,
            upload_id,
            options,
            configuration,
            batch_experiment_id,
            external_result,
            json_configurations,
            input_dir_path,
            managed_input_id,
        )
        with no_run_yet():
            text = await prepared(self._client, self._app_id, payload, progress)
        return await submitted(self._client, self._app_id, text, payload["instance_id"])

    async def track_run(
        self,
        tracked_run: TrackedRun,
        instance_id: str | None = None,
        configuration: Configuration | None = None,
    ) -> str:
        """Register a run that was executed elsewhere, and return its id.

        Input, output, log, statistics, metrics and assets are uploaded one after the
        other, after all of them have been checked. Like `new_run` it is sent once.

        Args:
            tracked_run: The run.
            instance_id: The instance that it belongs to; the application's default if
                not given.
            configuration: Used as it is; without it the format follows from the data.

        Returns:
            The run id.

        Raises:
            InvalidInput: It has no input, or a part of it cannot be sent; nothing was.
            TypeError: The log is neither text nor a list of lines.
            OutcomeUnknown: The submission left and was not answered.
            CallError: The platform refused, or an upload failed.

        Example:
            ```python
            tracked = TrackedRun(
                TrackedRunStatus.SUCCEEDED, input=problem, output=solution, duration=900
            )
            run_id = await app.track_run(tracked)
            ```
        """
        chosen = instance_id or self.default_instance_id
        return await track(
            self._client, self._app_id, tracked_run, chosen, configuration
        )

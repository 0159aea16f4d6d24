"""Waiting for runs as the documented operations do (wire/nextmv.md 3.3.2, 5)."""

from os import PathLike

from aioruns.errors import NotFound
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.describing import Configuration, ExternalResult
from aioruns.platforms.nextmv.downloads import Directory
from aioruns.platforms.nextmv.jsontext import JsonConfigurations
from aioruns.platforms.nextmv.models.information import RunInformation, RunResult
from aioruns.platforms.nextmv.models.inputs import Options
from aioruns.platforms.nextmv.models.tracking import TrackedRun
from aioruns.platforms.nextmv.polling import (
    DEFAULT_POLLING_OPTIONS,
    PollingOptions,
    poll,
)
from aioruns.platforms.nextmv.run_cloning import RunCloning
from aioruns.platforms.nextmv.run_operations import RunOperations
from aioruns.platforms.nextmv.run_reading import RunReading
from aioruns.platforms.nextmv.sources import RunInput

_GRACE = 15.0
"""Seconds for which a run that was just created may be invisible to reads."""


class RunPolling:
    """Waits for runs by polling them; reached as `application.run_polling`.

    `Run.wait` costs fewer requests where many runs are waited for.

    Args:
        client: The platform.
        starting: Submits and tracks runs.
        reading: Reads them.
        cloning: Clones them.
    """

    def __init__(
        self,
        client: Client,
        starting: RunOperations,
        reading: RunReading,
        cloning: RunCloning,
    ) -> None:
        self._clock = client.session.clock
        self._starting = starting
        self._reading = reading
        self._cloning = cloning

    async def run_result_with_polling(
        self,
        run_id: str,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        output_dir_path: Directory = ".",
    ) -> RunResult:
        """Wait until a run has ended, and read its result.

        Args:
            run_id: Which run.
            polling_options: When to ask, and when to give up; by default never.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.

        Returns:
            The result; a run that failed is not an exception here.

        Raises:
            GaveUp: The polling options say that it took too long; also a TimeoutError.
            NotFound: There is no such run.

        Example:
            ```python
            options = PollingOptions(max_duration=600)
            result = await app.run_result_with_polling("run-1", options)
            ```
        """
        ended = await self._ended(run_id, polling_options)
        return await self._reading.result_of(ended, output_dir_path)

    async def new_run_with_result(
        self,
        input: RunInput = None,
        instance_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        upload_id: str | None = None,
        run_options: Options | None = None,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        configuration: Configuration | None = None,
        batch_experiment_id: str | None = None,
        external_result: ExternalResult | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        output_dir_path: Directory = ".",
        managed_input_id: str | None = None,
    ) -> RunResult:
        """Submit a run, wait until it has ended, and read its result.

        Args:
            input: As of `new_run`, and so are all that are not named here.
            instance_id: See `new_run`.
            name: See `new_run`.
            description: See `new_run`.
            upload_id: See `new_run`.
            run_options: The `options` of `new_run`.
            polling_options: When to ask, and when to give up; by default never.
            configuration: See `new_run`.
            batch_experiment_id: See `new_run`.
            external_result: See `new_run`.
            json_configurations: See `new_run`.
            input_dir_path: See `new_run`.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.
            managed_input_id: See `new_run`.

        Returns:
            The result; a run that failed is not an exception here.

        Raises:
            InvalidInput: Something in it cannot be right; nothing was sent.
            OutcomeUnknown: The submission left and was not answered.
            GaveUp: The polling options say that it took too long; the run goes on.
            CallError: The platform refused, or could not be asked.

        Example:
            ```python
            result = await app.new_run_with_result(
                {"stops": stops},
                run_options={"seed": 1},
                polling_options=PollingOptions(max_duration=600),
            )
            ```
        """
        run_id = await self._starting.new_run(
            input,
            instance_id,
            name,
            description,
            upload_id,
            run_options,
            configuration,
            batch_experiment_id,
            external_result,
            json_configurations,
            input_dir_path,
            managed_input_id,
        )
        return await self._result_of_new(run_id, polling_options, output_dir_path)

    async def track_run_with_result(
        self,
        tracked_run: TrackedRun,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        instance_id: str | None = None,
        output_dir_path: Directory = ".",
        configuration: Configuration | None = None,
    ) -> RunResult:
        """Register a run that was executed elsewhere, and read it back.

        Args:
            tracked_run: The run.
            polling_options: When to ask, and when to give up; by default never.
            instance_id: The instance that it belongs to.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.
            configuration: See `track_run`.

        Raises:
            InvalidInput: Something in it cannot be right; nothing was sent.
            OutcomeUnknown: The submission left and was not answered.
            GaveUp: The polling options say that it took too long.
            CallError: The platform refused, or could not be asked.
        """
        run_id = await self._starting.track_run(tracked_run, instance_id, configuration)
        return await self._result_of_new(run_id, polling_options, output_dir_path)

    async def clone_run_with_result(
        self,
        cloned_run_id: str,
        input: RunInput = None,
        instance_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        run_options: Options | None = None,
        polling_options: PollingOptions = DEFAULT_POLLING_OPTIONS,
        configuration: Configuration | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        output_dir_path: Directory = ".",
        managed_input_id: str | None = None,
    ) -> RunResult:
        """Clone a run, wait until the clone has ended, and read its result.

        Args:
            cloned_run_id: As of `clone_run`, and so are all that are not named here.
            input: See `clone_run`.
            instance_id: See `clone_run`.
            name: See `clone_run`.
            description: See `clone_run`.
            run_options: The `options` of `clone_run`.
            polling_options: When to ask, and when to give up; by default never.
            configuration: See `clone_run`.
            json_configurations: See `clone_run`.
            input_dir_path: See `clone_run`.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.
            managed_input_id: See `clone_run`.

        Raises:
            InvalidInput: Something in it cannot be right.
            OutcomeUnknown: The submission left and was not answered.
            GaveUp: The polling options say that it took too long; the run goes on.
            CallError: The platform refused, or could not be asked.
        """
        run_id = await self._cloning.clone_run(
            cloned_run_id,
            input,
            instance_id,
            name,
            description,
            options=run_options,
            configuration=configuration,
            json_configurations=json_configurations,
            input_dir_path=input_dir_path,
            managed_input_id=managed_input_id,
        )
        return await self._result_of_new(run_id, polling_options, output_dir_path)

    async def _result_of_new(
        self, run_id: str, options: PollingOptions, output_dir_path: Directory
    ) -> RunResult:
        ended = await self._ended(run_id, options, grace=_GRACE)
        return await self._reading.result_of(ended, output_dir_path)

    async def _ended(
        self, run_id: str, options: PollingOptions, grace: float = 0.0
    ) -> RunInformation:
        """Poll until the run has ended; a new one may not be shown yet."""
        shown_by = self._clock.now() + grace

        async def ask() -> RunInformation | None:
            try:
                found = await self._reading.run_information(run_id)
            except NotFound:
                if self._clock.now() >= shown_by:
                    raise
                return None
            return found if found.metadata.run_is_finalized() else None

        return await poll(options, self._clock, ask, what=f"run {run_id}")

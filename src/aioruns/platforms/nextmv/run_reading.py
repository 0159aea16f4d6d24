"""Reading and controlling runs (wire/nextmv.md 3.3.2, 3.3.4)."""

from typing import Any
from urllib.parse import quote

from attrs import evolve

from aioruns.errors import NotFound
from aioruns.http.codec import Json
from aioruns.http.request import Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.downloads import (
    Directory,
    directory_for,
    download_as,
    input_by_url,
    output_by_url,
    unpack_into,
)
from aioruns.platforms.nextmv.models.configuration import RunType
from aioruns.platforms.nextmv.models.downloads import DownloadURL
from aioruns.platforms.nextmv.models.formats import ContentFormat, InputFormat
from aioruns.platforms.nextmv.models.information import (
    Metadata,
    RunInformation,
    RunResult,
)
from aioruns.platforms.nextmv.models.logs import RunLog
from aioruns.platforms.nextmv.models.run_rows import Run
from aioruns.platforms.nextmv.models.statuses import StatusV2
from aioruns.platforms.nextmv.things import Paths, Things

_CONSOLE = "https://cloud.nextmv.io"


class RunReading:
    """Reads, stops and deletes runs; reached as `application.run_reading`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._app_id = app_id
        self._things = Things(client, Paths(app_id, ("runs",)))

    async def run_information(self, run_id: str) -> RunInformation:
        """Read a run's state, times, sizes and settings.

        Raises:
            NotFound: There is no such run, or not yet.
        """
        request = requests.run_information(self._app_id, run_id)
        found = await self._client.send(request)
        return evolve(found, console_url=self._console_url(found.id))

    async def run_metadata(self, run_id: str) -> RunInformation:
        """Read a run's state; the older name of `run_information`."""
        return await self.run_information(run_id)

    async def run_input(
        self,
        run_id: str,
        output_dir_path: Directory = ".",
        progress: Progress | None = None,
    ) -> Any:
        """Read the input of a run.

        Args:
            run_id: Which run.
            output_dir_path: Where an input that is files is unpacked to; made if it is
                missing.
            progress: Called with the bytes received so far, and with all of them if
                that is known, where the input is downloaded.

        Returns:
            A JSON value; text where the run reads text; None where it is files.

        Raises:
            InvalidInput: It is files, and there is no place for them.
            Unreadable: It is an archive that cannot be unpacked, or would write outside
                of the directory.
            NotFound: There is no such run.
        """
        metadata = (await self.run_information(run_id)).metadata
        kind = str(metadata.content_format)
        if input_by_url(metadata):
            return await self._by_url(run_id, "input", kind, output_dir_path, progress)
        returns = str if kind == InputFormat.TEXT else object
        request = requests.run_part(self._app_id, run_id, "input", returns)
        return await self._client.send(request)

    async def run_output(
        self,
        run_id: str,
        output_dir_path: Directory = ".",
        progress: Progress | None = None,
    ) -> Any:
        """Read the output of a run.

        Args:
            run_id: Which run.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.
            progress: Called with the bytes received so far, and with all of them if
                that is known, where the output is downloaded.

        Returns:
            A JSON value; text where the run writes text; None where it is files. Of a
            run that has not ended, an output that would be downloaded is the JSON
            object with its `url`.

        Raises:
            InvalidInput: It is files, and there is no place for them.
            Unreadable: It is an archive that cannot be unpacked, or would write outside
                of the directory.
            NotFound: There is no such run, or it has no output.
        """
        metadata = (await self.run_information(run_id)).metadata
        if not output_by_url(metadata):
            request = requests.run_part(self._app_id, run_id, "output", object)
            return await self._client.send(request)
        if not metadata.run_is_finalized():
            link = requests.run_part_url(self._app_id, run_id, "output", Json)
            return await self._client.send(link)
        kind = metadata.output_format
        return await self._by_url(run_id, "output", kind, output_dir_path, progress)

    async def run_result(
        self,
        run_id: str,
        output_dir_path: Directory = ".",
        progress: Progress | None = None,
    ) -> RunResult:
        """Read a run with its output, or with its error log.

        A run that failed or was canceled keeps its error log, whether or not the
        platform has an output of it.

        Args:
            run_id: Which run.
            output_dir_path: Where an output that is files is unpacked to; made if it is
                missing.
            progress: Called with the bytes received so far, and with all of them if
                that is known, where the output is downloaded.

        Raises:
            InvalidInput: The output is files, and there is no place for them.
            Unreadable: The output is an archive that cannot be unpacked, or would write
                outside of the directory.
            NotFound: There is no such run.

        Example:
            ```python
            result = await app.run_result("run-1")
            print(result.metadata.status_v2, result.output, result.error_log)
            ```
        """
        information = await self.run_information(run_id)
        return await self.result_of(information, output_dir_path, progress)

    async def result_of(
        self,
        information: RunInformation,
        output_dir_path: Directory = ".",
        progress: Progress | None = None,
    ) -> RunResult:
        """Read the result of a run whose state was just read; see `run_result`."""
        run_id, metadata = information.id, information.metadata
        as_url = output_by_url(metadata)
        request = requests.run_result(self._app_id, run_id, as_url=as_url)
        result = await self._client.send(request)
        result = evolve(result, console_url=information.console_url)
        try:
            return await self._with_parts(result, metadata, output_dir_path, progress)
        except NotFound:
            if metadata.status_v2 == StatusV2.succeeded:
                raise
            # The error log must not be lost with an output that never was.
            return result

    async def _with_parts(
        self,
        result: RunResult,
        metadata: Metadata,
        output_dir_path: Directory,
        progress: Progress | None,
    ) -> RunResult:
        """Add what comes by requests of its own."""
        kind = metadata.run_type
        if kind is not None and kind.run_type == RunType.ENSEMBLE:
            request = requests.run_part(self._app_id, result.id, "ensemble", Json)
            members = await self._client.send(request)
            result = evolve(result, ensemble=members)
        if not output_by_url(metadata) or not metadata.run_is_finalized():
            return result
        output = await self.run_output(result.id, output_dir_path, progress)
        return result if output is None else evolve(result, output=output)

    async def run_logs(self, run_id: str) -> RunLog:
        """Read the whole log of a run, as one text.

        Raises:
            NotFound: There is no such run, or it has no log yet.
        """
        return await self._client.send(requests.run_logs(self._app_id, run_id))

    async def list_runs(
        self, status: StatusV2 | str | None = None, no_pagination: bool = False
    ) -> list[Run]:
        """Read all runs of the application.

        Args:
            status: Which runs to keep. The platform cannot filter, so all of them are
                read all the same.
            no_pagination: Whether to ask once, in the older form without pages; the
                platform then decides how many runs it shows.
        """
        runs = await self._things.list(Run, under="runs", no_pagination=no_pagination)
        return [run for run in runs if status is None or run.status_v2 == status]

    async def cancel_run(self, run_id: str) -> None:
        """Ask a run to end."""
        await self._client.send(requests.cancel_run(self._app_id, run_id))

    async def delete_run(self, run_id: str) -> None:
        """Delete a run.

        Raises:
            NotFound: There is no such run.
        """
        await self._client.send(requests.delete_run(self._app_id, run_id))

    async def _by_url(
        self,
        run_id: str,
        part: str,
        kind: str,
        directory: Directory,
        progress: Progress | None,
    ) -> Any:
        """Download a part of a run: a JSON value, text, or files into a directory."""
        request = requests.run_part_url(self._app_id, run_id, part, DownloadURL)
        if kind in {ContentFormat.JSON, InputFormat.TEXT}:
            returns = object if kind == ContentFormat.JSON else str
            link = await self._client.send(request)
            return await download_as(self._client, link.url, returns, progress)
        place = directory_for(directory, f"the {part} of run {run_id}")
        link = await self._client.send(request)
        await unpack_into(self._client, link.url, place, progress)
        return None

    def _console_url(self, run_id: str) -> str:
        """The run's page in the console (wire/nextmv.md 1.1)."""
        app, run = quote(self._app_id, safe=""), quote(run_id, safe="")
        return f"{_CONSOLE}/app/{app}/run/{run}?view=details"

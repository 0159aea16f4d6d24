"""From what a run asks for to a run in the queue, for handlers and experiments."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from aioruns.local.nextmv.answers import PLATFORM, Refusal
from aioruns.local.nextmv.binaries import Binaries, Installed
from aioruns.local.nextmv.configuration import DEFAULT_PRIORITY, arguments
from aioruns.local.nextmv.desk import Desk, slug
from aioruns.local.nextmv.inputs import GivenInput, given_input, run_files
from aioruns.local.nextmv.layout import ARCHIVED, SIDE_FILES, layout
from aioruns.local.nextmv.submission import Target, detail_of, target
from aioruns.local.nextmv.vault import Given, given
from aioruns.local.nextmv.workplace import Workplace
from aioruns.local.records import Command, Json, RunRecord, Task

MAIN = "main"
"""The one task of every run."""

STDOUT = "stdout"
FILE = "file"
"""Where the output of a run is: with the engine, or a file of its own."""


@frozen
class Prepared:
    """A run that can be queued: all that it names exists."""

    app: str
    run_id: str
    wanted: Target
    detail: dict[str, Json]
    input: GivenInput
    secrets: Given = field(repr=False)
    installed: Installed


@frozen
class Starter:
    """Queues runs of the programs of this server."""

    desk: Desk
    binaries: Binaries

    async def prepare(
        self,
        app: str,
        fields: Mapping[str, Json],
        *,
        instance_id: str | None = None,
        version_id: str | None = None,
    ) -> Prepared:
        """Look up everything that a run names; nothing happens yet.

        Args:
            app: The application's id.
            fields: The run, as in the body of a submission.
            instance_id: What runs it; the application's default if missing.
            version_id: Runs in place of the instance's version, or without instance.

        Raises:
            Refusal: Something is missing or wrong.
        """
        wanted = target(self.desk, app, instance_id, version_id)
        entry = await given_input(self.desk, app, fields)
        detail = detail_of(wanted, fields, entry)
        kind = detail["format"]["input"]["type"]
        if kind in ARCHIVED and isinstance(entry.content, bytes) and not entry.empty:
            raise Refusal(
                400, f"An input of the format '{kind}' must be uploaded as a tar.gz."
            )
        archived = detail["format"]["output"]["type"] in ARCHIVED
        detail["output"] = FILE if archived else STDOUT
        secrets = given(self.desk, app, detail["secrets_collection_id"])
        installed = await self.binaries.installed(app, wanted.binary)
        run_id = wanted.run_id()
        return Prepared(app, run_id, wanted, detail, entry, secrets, installed)

    async def start(
        self, prepared: Prepared, more: Mapping[str, Json] | None = None
    ) -> RunRecord:
        """Queue a prepared run.

        Args:
            prepared: The run; each may be started once.
            more: What else to keep in its detail: `experiment_id`, `scenario_id`, ...

        Raises:
            Refusal: It is not to be queued, and all slots are taken (429).
        """
        detail = {**prepared.detail, **(more or {})}
        queuing = detail["queuing"]
        if queuing.get("disabled") and not self.desk.engine.spare:
            raise Refusal(
                429, "All slots are taken, and this run is not to be queued: try later."
            )
        entry = await prepared.input.keep(self.desk, prepared.app, prepared.run_id)
        return await self.desk.engine.submit(
            PLATFORM,
            prepared.run_id,
            [await self._task(prepared, entry)],
            scope=prepared.app,
            detail=detail,
            priority=(queuing.get("priority") or DEFAULT_PRIORITY) - DEFAULT_PRIORITY,
        )

    async def _task(self, prepared: Prepared, entry: bytes | Path) -> Task:
        program = prepared.installed.program
        detail = prepared.detail
        options: dict[str, str] = detail["options"]
        env = dict(prepared.secrets.env)
        if isinstance(program, Command):
            told = arguments(prepared.wanted.binary["requirements"], options)
            program = evolve(program, argv=(*program.argv, *told))
        else:
            env = options | env
        place = None
        if (
            detail["output"] == FILE
            or self._unpacks(prepared)
            or prepared.secrets.files
        ):
            place = await asyncio.to_thread(self._place, prepared, entry)
            if isinstance(program, Command):
                program = await asyncio.to_thread(place.moved, program)
        stdin = b"" if self._unpacks(prepared) else entry
        return Task(MAIN, program, stdin, env, place=place)

    def _unpacks(self, prepared: Prepared) -> bool:
        return prepared.detail["format"]["input"]["type"] in ARCHIVED

    def _place(self, prepared: Prepared, entry: bytes | Path) -> Workplace:
        files, detail = self.desk.files, prepared.detail
        program, source = prepared.installed.program, prepared.installed.root
        below = Path()
        if isinstance(program, Command) and program.cwd is not None:
            if source is None:
                source = program.cwd
            below = program.cwd.resolve().relative_to(source.resolve())
        kinds = (detail["format"]["input"]["type"], detail["format"]["output"]["type"])
        paths = layout(prepared.wanted.binary["requirements"], *kinds)

        def kept(name: str) -> Path:
            return files.path(prepared.app, run_files(prepared.run_id), name)

        archive = None
        if self._unpacks(prepared) and isinstance(entry, Path):
            archive = (entry, paths.input)
        sides = {getattr(paths, name): kept(name) for name in SIDE_FILES}
        return Workplace(
            files.scratch().resolve() / "work" / slug(20),
            source,
            below,
            archive=archive,
            secrets=prepared.secrets.files,
            solutions=(
                (paths.solutions, kept("output")) if detail["output"] == FILE else None
            ),
            side_files=sides if kinds[1] == "multi-file" else {},
        )

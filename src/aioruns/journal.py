"""The journal of a sweep: what was submitted survives the death of its process.

Each spec has a place in a SQLite file, where its key is before its request leaves. The
same sweep on the same file then goes on where the one before it ended.
"""

import logging
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread
from attrs import define, field
from msgspec.structs import replace

from aioruns.errors import AiorunsError, JournalError
from aioruns.journal_file import Again, Group, JournalFile, Told
from aioruns.journal_identity import identify
from aioruns.journal_plans import Plan
from aioruns.journal_schema import Entry, Stage, stamp
from aioruns.runs import RunSpec
from aioruns.seam import Status

__all__ = ["Entry", "Journal", "Stage"]

LINGER = 0.2
"""Seconds for which what nobody waits for may stay in memory."""

RETRY = 2.0
"""Seconds after which what could not be written is tried again."""

TEXT_LENGTH = 500
"""Characters of an error or a reason that are kept."""

logger = logging.getLogger("aioruns.journal")


@define(eq=False)
class Journal:
    """A journal that this process holds; made by `Journal.open`.

    Changes are written in groups: while one is on its way to the disk, the next
    gathers. There is no thread and no task but `serve`, which its owner runs.

    Example:
        ```python
        journal = await Journal.open("sweep.db")
        async with anyio.create_task_group() as group:
            group.start_soon(journal.serve)
            entry = await journal.plan(spec, submitting=clock.utc())
            ...
            journal.submitted(entry, run.id, clock.utc())
            group.cancel_scope.cancel()
        await journal.aclose()
        ```
    """

    _file: JournalFile
    _group: Group = field(factory=Group, init=False)
    _stopped: bool = field(default=False, init=False)
    _closed: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)
    # Threads of its own: those of the program may all be busy.
    _limiter: anyio.CapacityLimiter = field(
        factory=lambda: anyio.CapacityLimiter(1), init=False
    )

    @classmethod
    async def open(cls, path: str | os.PathLike[str]) -> "Journal":
        """Open a journal for writing, and make it if there is none.

        Args:
            path: The file. Beside it there will be `<path>-lock` and, while a sweep
                runs, `<path>-wal` and `<path>-shm`.

        Raises:
            JournalLocked: Another sweep is using it.
            JournalError: It cannot be opened or written, or is no journal.
        """
        with anyio.CancelScope(shield=True):
            file = await anyio.to_thread.run_sync(JournalFile.open, Path(path))
        return cls(file)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._file.path

    async def serve(self) -> None:
        """Write what comes, until cancelled; `aclose` writes the rest."""
        try:
            while True:
                await self._group.noted.wait()
                await self._asked_within(LINGER)
                await self._write()
                if self._group.noted.is_set() and self._failed:
                    await self._asked_within(RETRY)
        finally:
            self._stopped = True
            self._group.done.set()

    async def plan(self, spec: RunSpec, submitting: datetime | None = None) -> Entry:
        """Find the place of a spec, or give it one.

        Equal specs of one pass have places of their own, in their order.

        Args:
            spec: What is to be submitted.
            submitting: When its submission begins: what is PLANNED goes on to
                SUBMITTING at once, as by `submitting`, which saves writing twice.

        Returns:
            A new entry, or how far an earlier process came with it.

        Raises:
            InvalidInput: Its payload cannot be told again; a key would help.
            JournalError: It could not be written, and must not be submitted.
        """
        plan = self._plan([spec], submitting)
        group = self._open_group()
        group.plans.append(plan)
        await self._written(group)
        return plan.entries[0]

    def plan_all(
        self, specs: Sequence[RunSpec], submitting: datetime | None, told: Told
    ) -> Plan:
        """Find the places of many specs, or give them some, in one transaction.

        Args:
            specs: In their order.
            submitting: As of `plan`.
            told: Called in the event loop when all of them are on the disk, or with the
                reason why none is. Never called if the journal is closed before.

        Returns:
            What holds their entries once they are on the disk.

        Raises:
            InvalidInput: As of `plan`.
            JournalError: The journal takes no more runs.
        """
        plan = self._plan(specs, submitting)
        group = self._open_group()
        group.plans.append(plan)
        group.told.append(told)
        group.asked.set()
        return plan

    def _plan(self, specs: Sequence[RunSpec], submitting: datetime | None) -> Plan:
        salt = self._file.salt
        return Plan(specs, [identify(spec, salt) for spec in specs], submitting)

    async def submitting(self, entry: Entry, at: datetime) -> Entry:
        """Write down that a request with the entry's key is about to leave.

        Args:
            entry: What is PLANNED.
            at: Now.

        Returns:
            The entry at SUBMITTING, which is on the disk.

        Raises:
            JournalError: It could not be written, and must not be submitted.
        """
        group = self._open_group()
        group.submitting.append((stamp(at), entry.row))
        await self._written(group)
        return replace(entry, stage=Stage.SUBMITTING, since=at)

    def submitted(self, entry: Entry, run_id: str, at: datetime) -> None:
        """Note that the run exists; it is written soon.

        Args:
            entry: What was submitted.
            run_id: The platform's id of the run.
            at: When that was learnt.
        """
        self._note().submitted += (_clean(run_id), at.timestamp(), entry.row)

    def put_back(self, entry: Entry) -> None:
        """Note that the submission did not begin after all; it is written soon.

        The spec is taken out of the journal again, or goes back to PLANNED where others
        are counted after it.

        Args:
            entry: At SUBMITTING by this process; no request has left with its key.
        """
        self._note().put_back.append(entry)

    def ended(
        self,
        entry: Entry,
        at: datetime,
        status: Status | None = None,
        error: AiorunsError | None = None,
    ) -> None:
        """Note that the run has ended, or never was; it is written soon.

        Args:
            entry: What was submitted, or was to be.
            at: When that was learnt.
            status: The final status, if there was a run.
            error: What went wrong otherwise. Only its text is kept.
        """
        said = None if error is None else _clean(str(error))
        if status is None:
            self._note().ended += (at.timestamp(), said, *(None,) * 6, entry.row)
            return
        self._note().ended += (
            at.timestamp(),
            said,
            str(status.state),  # SQLite is slow with what is a text and more
            _clean(status.text),
            _clean(status.reason),
            stamp(status.created),
            stamp(status.started),
            stamp(status.ended),
            entry.row,
        )

    async def again(
        self,
        entry: Entry,
        submitting: datetime | None = None,
        *,
        key: str | None = None,
    ) -> Entry:
        """Make a further attempt of what has ended.

        Args:
            entry: The attempt before it, which stays in the journal.
            submitting: When its submission begins, as of `plan`.
            key: The submission key; by default one that this journal derives.

        Returns:
            A new entry with a key of its own.

        Raises:
            JournalError: It could not be written, and must not be submitted.
        """
        again = Again(entry, key, submitting)
        group = self._open_group()
        group.again.append(again)
        await self._written(group)
        assert again.entry is not None  # noqa: S101 - narrows; written says so
        return again.entry

    async def earlier(self, entry: Entry) -> list[Entry]:
        """Read the attempts of a spec before this one, the first of them first.

        Raises:
            JournalError: They could not be read.
        """
        return await anyio.to_thread.run_sync(
            self._file.earlier, entry, limiter=self._limiter
        )

    async def aclose(self) -> None:
        """Write what is left, and let others open the journal.

        Call it when `serve` has ended, and shield it where that matters.

        Raises:
            JournalError: What was left could not be written.
        """
        if self._closed:
            return
        self._stopped = self._closed = True
        self._group.forget_asked()
        self._group.done.set()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(
                self._finish, self._group, limiter=self._limiter
            )

    def _finish(self, group: Group) -> None:
        try:
            if group.noted.is_set():
                self._file.write(group)
        finally:
            self._file.close()

    def _note(self) -> Group:
        group = self._group
        if not group.anything:
            group.anything = True
            group.noted.set()
        return group

    def _open_group(self) -> Group:
        if self._stopped:
            raise JournalError(
                f"the journal {self.path} takes no more runs: its sweep has ended"
            )
        return self._note()

    async def _asked_within(self, seconds: float) -> None:
        if not self._group.asked.is_set():
            with anyio.move_on_after(seconds):
                await self._group.asked.wait()

    async def _written(self, group: Group) -> None:
        group.asked.set()
        await group.done.wait()
        if group.error is not None:
            raise JournalError(*group.error.args) from group.error
        if not group.written:
            raise JournalError(
                f"the journal {self.path} was closed before a run was written down, "
                "so that it was not submitted: start the sweep again"
            )

    async def _write(self) -> None:
        """Write the group that has gathered, while the next one gathers."""
        group, self._group = self._group, Group()
        try:
            # Cut off here, nobody would know whether it was written.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(
                    self._file.write, group, limiter=self._limiter
                )
            group.written = True
        except JournalError as error:
            logger.warning("%s", error)
            group.error = error
            self._keep(group)
        finally:
            self._failed = not group.written
            group.done.set()
        for told in group.told:
            told(group.error)

    def _keep(self, group: Group) -> None:
        """Put what nobody waits for before what has come since."""
        kept = self._group
        kept.put_back[:0] = group.put_back
        kept.submitted[:0] = group.submitted
        kept.ended[:0] = group.ended
        if kept.put_back or kept.submitted or kept.ended:
            self._note()


def _clean(text: str) -> str:
    """Text that SQLite takes: no halves of characters, and not too long."""
    if text.isascii() and len(text) <= TEXT_LENGTH:
        return text
    return text[:TEXT_LENGTH].encode(errors="replace").decode()

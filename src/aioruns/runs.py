"""Runs: what a user submits, holds, follows and collects.

`RunSpec` is a value and `Run` a handle; `Runs` is where both meet a platform. What a
platform must be able to do for them is in `aioruns.seam`.
"""

import re
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import Context, GaveUp, InvalidInput, NotSupported, RunFailed
from aioruns.logs import LogStream
from aioruns.seam import (
    LogEvent,
    Platform,
    RunRef,
    RunState,
    Status,
    Submission,
)
from aioruns.submitting import new_key, submit_once
from aioruns.waiting import Watcher

_KEY_LENGTH = 64
_KEY = re.compile(rf"[!-Z\\^-~]([ -Z\\^-~]{{0,{_KEY_LENGTH - 2}}}[!-Z\\^-~])?")

__all__ = ["LogEvent", "Run", "RunSpec", "RunState", "Runs", "Status"]


@frozen
class RunSpec:
    """What to submit; a value, nothing has happened yet.

    Made by `spec(...)` on a platform's handle, for example
    `nextmv.application("routing").spec(data)`.

    Attributes:
        runs: The platform that it is for.
        target: Application, pipeline or deployment.
        payload: The vendor's request body, checked, without the key.
        key: The submission key; None makes a new one for every submission.
    """

    runs: "Runs"
    target: str
    payload: Mapping[str, Any] = field(repr=False)
    key: str | None = None

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.runs.platform.name

    async def submit(self) -> "Run":
        """Create the run, once; see `Runs.submit`."""
        return await self.runs.submit(self)


@define(eq=False)
class Run:
    """The handle of one run.

    Attributes:
        runs: Its platform.
        ref: Its scope and id.
        key: The key that it was submitted under; None for a run that was looked up.

    Example:
        ```python
        run = await app.submit({"stops": []})
        async for event in run.logs():
            print(event.message)
        status = await run.wait(within=600)
        print(status.state, await run.result())
        ```
    """

    runs: "Runs" = field(repr=lambda runs: runs.platform.name)
    ref: RunRef
    key: str | None = None

    @property
    def id(self) -> str:
        """The platform's id of the run."""
        return self.ref.id

    @property
    def target(self) -> str:
        """The application, pipeline or deployment that it belongs to."""
        return self.ref.target

    @property
    def cursor(self) -> str:
        """Text from which `Runs.from_cursor` makes this handle again."""
        value = {"platform": self.runs.platform.name, "target": self.target}
        return make_cursor("run", {**value, "run": self.id, "key": self.key})

    async def state(self) -> RunState:
        """Where the run stands now; QUEUED while the platform does not show it yet."""
        status = await self.status()
        return status.state

    async def status(self) -> Status:
        """State, the platform's own word for it, reason and times, read now.

        Raises:
            NotFound: The run does not exist.
            CallError: The platform could not be asked.
        """
        status = await self._watcher.look(self.ref)
        return status or Status(self.ref, RunState.QUEUED, "")

    async def wait(self, within: float | None = None) -> Status:
        """Wait until the run has ended, however it ends.

        Waits on one platform share their requests. Cancelling the wait leaves the run
        alone.

        Args:
            within: Seconds to wait at most; None waits as long as the run takes.

        Returns:
            The final status; a failed run is not an exception here.

        Raises:
            GaveUp: `within` ran out; its context's cursor makes the handle again.
            NotFound: The run does not exist, or not any more.
            CallError: The platform could not be asked for two minutes.
        """
        if within is None:
            return await self._watcher.wait(self.ref)
        with self.runs.platform.clock.limit(within):
            return await self._watcher.wait(self.ref)
        context = Context(self.runs.platform.name, cursor=self.cursor)
        raise GaveUp(f"run {self.id} did not end within {within:g} s", context)

    def logs(self, *, follow: bool = True, cursor: str | None = None) -> LogStream:
        """The run's log lines, exactly once and in order.

        Args:
            follow: Wait for lines until the run has ended; False takes what is there.
            cursor: Continue after the event at which `LogStream.cursor` had this value.

        Returns:
            An async iterator of `LogEvent`.

        Raises:
            InvalidInput: The cursor belongs to another run or platform.
        """
        platform = self.runs.platform
        position = (
            None
            if cursor is None
            else LogStream.position(cursor, platform.name, self.ref)
        )
        return LogStream(platform, self.ref, self._watcher, follow, position)

    async def result(self, *, within: float | None = None) -> object:
        """Wait for the end, and return what the run produced.

        Args:
            within: Seconds to wait at most.

        Returns:
            In the platform's form, for example the output object on Nextmv.

        Raises:
            RunFailed: The run failed or was cancelled.
            GaveUp: `within` ran out.
            CallError: The platform could not be asked.
        """
        status = await self.wait(within=within)
        if status.state is not RunState.SUCCEEDED:
            raise RunFailed(self.id, status.state.value, status.reason)
        return await self.runs.platform.fetch_result(self.ref)

    async def cancel(self) -> None:
        """Ask the platform to end the run; `wait()` tells when it has.

        Raises:
            NotSupported: The platform cannot cancel runs; nothing was sent.
            CallError: The platform refused or could not be asked.
        """
        platform = self.runs.platform
        if not platform.abilities.cancels:
            raise NotSupported(
                f"{platform.name} cannot cancel a run: run {self.id} goes on until it "
                "ends by itself"
            )
        await platform.cancel(self.ref)

    @property
    def _watcher(self) -> Watcher:
        return self.runs.watcher(self.target)


@define(eq=False)
class Runs:
    """All runs of one platform client: specs go in, handles come out.

    Attributes:
        platform: The platform's adapter.
    """

    platform: Platform
    _watchers: dict[str, Watcher] = field(factory=dict, init=False, repr=False)

    async def submit(self, spec: RunSpec, *, new: str | None = None) -> Run:
        """Create the run of a spec, so that it exists once.

        Args:
            spec: What to submit.
            new: A key that was just made, for a spec that has none of its own.

        Returns:
            The run's handle.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        key = spec.key or new or new_key()
        since = self.platform.clock.utc()
        submission = Submission(
            spec.target, spec.payload, key, since, fresh=spec.key is None
        )
        ref = await submit_once(self.platform, submission)
        return Run(self, ref, key)

    def spec(
        self, target: str, payload: Mapping[str, Any], key: str | None = None
    ) -> RunSpec:
        """Make a spec; the platform's handles call this with a checked payload."""
        if key is not None and not (isinstance(key, str) and _KEY.fullmatch(key)):
            raise InvalidInput(
                f"the submission key {key!r} must be 1 to {_KEY_LENGTH} printable "
                "ASCII characters without square brackets: platforms carry it in names"
            )
        return RunSpec(self, target, payload, key)

    def run(self, target: str, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        if not run_id:
            raise InvalidInput("a run id must not be empty")
        return Run(self, RunRef(target, run_id))

    def from_cursor(self, cursor: str) -> Run:
        """Make a handle from `Run.cursor`, in another process too."""
        value = read_cursor(cursor, "run", platform=self.platform.name)
        run = self.run(value["target"], value["run"])
        return evolve(run, key=value["key"])

    def watcher(self, target: str) -> Watcher:
        """The one watcher that all waits on a target share.

        Where the platform spans targets, it is the same for all of them.
        """
        scope = "" if self.platform.abilities.spans_targets else target
        watcher = self._watchers.get(scope)
        if watcher is None:
            watcher = self._watchers[scope] = Watcher(self.platform)
        return watcher

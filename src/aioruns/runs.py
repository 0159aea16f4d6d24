"""Runs: what a user submits, holds, follows and collects.

`RunSpec` is a value and `Run` a handle; `Runs` is where both meet a platform. What a
platform must be able to do for them is in `aioruns.seam`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Protocol

from attrs import define, evolve, field

from aioruns.cancelling import cancel_all, check_cancels
from aioruns.cursors import make_cursor, read_cursor
from aioruns.errors import CallError, Context, GaveUp, InvalidInput, RunFailed
from aioruns.logs import LogStream, make_window
from aioruns.patience import patiently
from aioruns.seam import (
    LogEvent,
    Platform,
    RunRef,
    RunState,
    Status,
    Submission,
)
from aioruns.submitting import KEY_LENGTH, find_earlier, new_key, submit_once
from aioruns.values import Value
from aioruns.waiting import Watcher

_KEY = re.compile(rf"[!-Z\\^-~]([ -Z\\^-~]{{0,{KEY_LENGTH - 2}}}[!-Z\\^-~])?")

__all__ = ["HasRuns", "LogEvent", "Run", "RunSpec", "RunState", "Runs", "Status"]


class HasRuns(Protocol):
    """A platform's client, such as `aioruns.Nextmv`."""

    @property
    def runs(self) -> "Runs":
        """Where handles are made."""
        ...


class RunSpec(Value, frozen=True, gc=False):
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
    payload: Mapping[str, Any]
    key: str | None = None
    hidden: ClassVar[frozenset[str]] = frozenset({"payload"})

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
        fresh: Whether it was submitted by this handle's process just now.

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
    fresh: bool = field(default=False, repr=False)
    _final: Status | None = field(default=None, init=False, repr=False)

    @classmethod
    def from_cursor(cls, cursor: str, platform: HasRuns) -> "Run":
        """Make a handle from `Run.cursor` or the cursor of a `GaveUp`.

        Args:
            cursor: The text; it may come from another process.
            platform: The client of the platform that the run is on.

        Raises:
            InvalidInput: It is not a run's cursor, or belongs to another platform.

        Example:
            ```python
            except aioruns.GaveUp as error:
                save(error.context.cursor)
            ...
            run = aioruns.Run.from_cursor(saved, nextmv)
            await run.wait(within=3600)
            ```
        """
        return platform.runs.from_cursor(cursor)

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

        Once this handle has learnt of the end, that is what it says: a replica of the
        platform that lags behind does not bring the run back to life.

        Raises:
            NotFound: The run does not exist.
            CallError: The platform could not be asked.
        """
        if self._final is not None:
            return self._final
        status = await self._watcher.look(self.ref)
        if status is None:
            return Status(self.ref, RunState.QUEUED, "")
        return self._keep(status)

    async def wait(
        self, within: float | None = None, *, cancel_remote: bool = False
    ) -> Status:
        """Wait until the run has ended, however it ends.

        Waits on one platform share their requests; `aioruns.wait` waits for many runs.

        Args:
            within: Seconds to wait at most; None waits as long as the run takes.
            cancel_remote: Whether to cancel the run, too, when the wait is cancelled or
                `within` runs out; that may take 15 seconds more. Otherwise the run is
                left alone.

        Returns:
            The final status; a failed run is not an exception here.

        Raises:
            GaveUp: `within` ran out; `Run.from_cursor` takes its context's cursor.
            NotFound: The run does not exist, or not any more.
            NotSupported: `cancel_remote` where the platform cannot cancel runs.
            CallError: The platform could not be asked for two minutes.
        """
        platform = self.runs.platform
        if cancel_remote:
            check_cancels(platform)
        status: Status | None = None
        try:
            if within is None:
                status = await self._watch()
            else:
                with platform.clock.limit(within):
                    status = await self._watch()
        except BaseException as error:
            if cancel_remote and not isinstance(error, Exception):
                await cancel_all(platform, [self.ref])
            raise
        if status is not None:
            return status
        text = f"run {self.id} did not end within {within:g} s"
        if cancel_remote:
            failed = await cancel_all(platform, [self.ref])
            text += (
                f", and could not be cancelled: {failed[0].error}"
                if failed
                else (" and was asked to end")
            )
        raise GaveUp(text, Context(platform.name, cursor=self.cursor))

    async def _watch(self) -> Status:
        if self._final is not None:
            return self._final
        fresh, self.fresh = self.fresh, False
        return self._keep(await self._watcher.wait(self.ref, fresh=fresh))

    def _keep(self, status: Status) -> Status:
        if status.state.final:
            self._final = status
        return status

    def logs(
        self,
        *,
        follow: bool = True,
        cursor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tail: int | None = None,
        newest_first: bool = False,
    ) -> LogStream:
        """The run's log lines, exactly once and in order.

        Args:
            follow: Wait for lines until the run has ended; False takes what is there.
            cursor: Continue after the event at which `LogStream.cursor` had this value.
                It holds the choices below, which cannot be made again.
            since: Lines of this time or later, by the times that they carry.
            until: Lines before this time; the stream ends when it has passed.
            tail: Begin with so many of the lines that are there already; 0 gives only
                what comes from now on.
            newest_first: Read from the newest line back to the first, and do not wait
                for further lines. Not on Nextmv and Kubeflow.

        Returns:
            An async iterator of `LogEvent`.

        Raises:
            InvalidInput: The cursor belongs to another run or platform, or the choices
                exclude each other.
            NotSupported: The platform keeps no times of lines (Kubeflow), or gives logs
                from the beginning only.
        """
        platform = self.runs.platform
        if cursor is not None:
            if since or until or tail is not None or newest_first:
                raise InvalidInput(
                    "a cursor holds since, until, tail and newest_first: give it alone"
                )
            return LogStream.from_cursor(
                cursor, platform, self.ref, self._watcher, follow=follow
            )
        if tail is not None and (tail < 0 or newest_first):
            raise InvalidInput(
                f"tail={tail} with newest_first={newest_first}: tail must be 0 or "
                "more, and newest_first gives as many lines as are taken"
            )
        window = make_window(since, until)
        return LogStream(
            platform, self.ref, self._watcher, follow, window, tail, newest_first
        )

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
        fetch = partial(self.runs.platform.fetch_result, self.ref)
        return await patiently(fetch, self.runs.platform.clock)

    async def cancel(self) -> None:
        """Ask the platform to end the run; `wait()` tells when it has.

        Raises:
            NotSupported: The platform cannot cancel runs; nothing was sent.
            CallError: The platform refused or could not be asked.
        """
        platform = self.runs.platform
        check_cancels(platform)
        await platform.cancel(self.ref)

    @property
    def _watcher(self) -> Watcher:
        return self.runs.watcher(self.target)


@define(eq=False)
class Runs:
    """All runs of one platform client: specs go in, handles come out.

    Attributes:
        platform: The platform's adapter.
        at_once: Requests that pass its gate at once; more who submit would only queue.
    """

    platform: Platform
    at_once: int = field(default=64, repr=False)
    _watchers: dict[str, Watcher] = field(factory=dict, init=False, repr=False)

    async def submit(self, spec: RunSpec) -> Run:
        """Create the run of a spec, so that it exists once.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        key = spec.key or new_key()
        return Run(self, await self.create(spec, key), key, True)

    async def create(
        self,
        spec: RunSpec,
        key: str,
        *,
        since: datetime | None = None,
        repeat_unknown: bool = False,
    ) -> RunRef:
        """Create the run of a spec under a key, so that it exists once.

        Args:
            spec: What to submit.
            key: The key, whatever the spec's is.
            since: When an earlier process may have submitted it under this key; it is
                looked for first then.
            repeat_unknown: Send it again, too, where the outcome of sending it is not
                known and cannot be looked up, which may create a second run.

        Returns:
            The run, for which `Runs.run` makes a handle.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        fresh = since is None and key != spec.key
        began = since or self.platform.clock.utc()
        submission = Submission(spec.target, spec.payload, key, began, fresh)
        if since is not None:
            found = await find_earlier(
                self.platform, submission, repeat_unknown=repeat_unknown
            )
            if found is not None:
                return found
        try:
            return await self.platform.create(submission)
        except CallError as error:
            return await submit_once(
                self.platform, submission, error, repeat_unknown=repeat_unknown
            )

    async def submit_new(
        self, target: str, payload: Mapping[str, Any], key: str | None
    ) -> Run:
        """Submit what a spec would be made of; arguments and errors as of `spec`.

        The platforms' handles call this with a checked payload, since most submissions
        need no value that could be submitted once more.
        """
        if key is None:
            used, fresh = new_key(), True
        else:
            _check_key(key)
            used, fresh = key, False
        began = self.platform.clock.utc()
        submission = Submission(target, payload, used, began, fresh)
        try:
            ref = await self.platform.create(submission)
        except CallError as error:
            ref = await submit_once(self.platform, submission, error)
        return Run(self, ref, used, True)

    def spec(
        self, target: str, payload: Mapping[str, Any], key: str | None = None
    ) -> RunSpec:
        """Make a spec; the platform's handles call this with a checked payload."""
        if key is not None:
            _check_key(key)
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


def _check_key(key: object) -> None:
    if not (isinstance(key, str) and _KEY.fullmatch(key)):
        raise InvalidInput(
            f"the submission key {key!r} must be 1 to {KEY_LENGTH} printable "
            "ASCII characters without square brackets: platforms carry it in names"
        )

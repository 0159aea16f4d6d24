"""Running one task: a subprocess in its own process group, or an async callable."""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
import orjson
from attrs import define, field

from aioruns.local.records import Command, Job, Task

_LOG = logging.getLogger("aioruns.local")

GRACE = 2.0
"""Seconds between asking a program to end and ending it."""

_STREAMS = {1: "stdout", 2: "stderr"}


@define(eq=False)
class Execution:
    """What one task writes while it runs, and how it ended."""

    line: Callable[[str, str], None]
    """Receives (stream, text) for every line."""
    flush: Callable[[], Awaitable[None]]
    """Returns when the lines so far are saved; a fast writer waits for it."""
    stdout: bytearray = field(factory=bytearray)
    kept: dict[str, bytes] = field(factory=dict)
    exit_code: int | None = None
    error: str = ""
    _open: dict[str, list[bytes]] = field(factory=dict)
    _unsaved: int = 0

    def write(self, stream: str, data: bytes) -> None:
        """Take a chunk of any size and pass on the lines that it completes."""
        if stream == "stdout":
            self.stdout += data
        head, *tail = data.split(b"\n")
        pieces = self._open.setdefault(stream, [])
        pieces.append(head)
        if not tail:
            return
        last = tail.pop()
        for line in (b"".join(pieces), *tail):
            self._emit(stream, line)
        self._open[stream] = [last]

    def finish(self) -> None:
        """Pass on last lines that have no line break."""
        for stream, pieces in self._open.items():
            rest = b"".join(pieces)
            if rest:
                self._emit(stream, rest)
        self._open.clear()

    @property
    def crowded(self) -> bool:
        """Whether the writer should wait for `relieve`."""
        return self._unsaved >= 2000

    async def relieve(self) -> None:
        """Wait until all lines are saved."""
        await self.flush()
        self._unsaved = 0

    def _emit(self, stream: str, line: bytes) -> None:
        self._unsaved += 1
        self.line(stream, line.removesuffix(b"\r").decode(errors="replace"))


async def execute(task: Task, execution: Execution, *, hide: Collection[str]) -> None:
    """Run a task to its end, and leave in `execution` what became of it.

    Cancelling ends a subprocess with its whole group before this returns.

    Args:
        task: What to run.
        execution: Receives lines, output, kept files, exit code and reason.
        hide: Secrets; no inherited variable that holds one reaches a subprocess.
    """
    if isinstance(task.program, Command):
        await _execute_command(task, task.program, execution, hide)
    else:
        await _execute_callable(task, task.program, execution)


# -- async callables ---------------------------------------------------------------


async def _execute_callable(
    task: Task, program: Callable[[Job], Awaitable[object]], execution: Execution
) -> None:
    async def log(text: str) -> None:
        execution.write("stderr", text.encode(errors="replace") + b"\n")
        if execution.crowded:
            await execution.relieve()

    job = Job(stdin=task.stdin, env=dict(task.env), log=log)
    try:
        execution.write("stdout", _as_output(await _with_grace(program, job)))
        execution.exit_code = 0
    except Exception as error:  # noqa: BLE001 - a program may fail in any way
        execution.exit_code = 1
        execution.error = str(error) or type(error).__name__
    finally:
        execution.finish()


async def _with_grace(program: Callable[[Job], Awaitable[object]], job: Job) -> object:
    """Call a program; when cancelled, let it clean up for a while, as a process may."""

    async def call() -> object:
        return await program(job)

    # A task of its own, since a cancel scope would cancel each step of its clean-up.
    task = asyncio.create_task(call())
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        for _ in range(2):
            task.cancel()
            with anyio.move_on_after(GRACE, shield=True):
                await asyncio.wait([task])
        if not task.done():
            _LOG.error("A program ignores that it was canceled, and is left alone.")
        elif not task.cancelled() and task.exception() is None:
            return task.result()  # it ended well in spite of the request
        raise
    if task.cancelled():
        raise RuntimeError("The program canceled itself.")
    return task.result()


def _as_output(result: object) -> bytes:
    match result:
        case None:
            return b""
        case bytes():
            return result
        case str():
            return result.encode(errors="replace")
        case _:
            return orjson.dumps(result)


# -- subprocesses ------------------------------------------------------------------


async def _execute_command(
    task: Task, command: Command, execution: Execution, hide: Collection[str]
) -> None:
    fresh: Path | None = None
    stdin: IO[bytes] | None = None
    try:
        with anyio.CancelScope(shield=True):
            if command.cwd is None:
                fresh = await anyio.to_thread.run_sync(_fresh_directory)
            stdin = await anyio.to_thread.run_sync(_as_file, task.stdin)
        directory = command.cwd or fresh
        assert directory is not None
        env = environment({**command.env, **task.env}, hide)
        try:
            await _run_process(command.argv, directory, env, stdin, execution)
        finally:
            execution.finish()
            with anyio.CancelScope(shield=True):
                execution.kept.update(
                    await anyio.to_thread.run_sync(_read_kept, directory, task.keep)
                )
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_clear, stdin, fresh)


async def _run_process(
    argv: tuple[str, ...],
    directory: Path,
    env: Mapping[str, str],
    stdin: IO[bytes] | None,
    execution: Execution,
) -> None:
    loop = asyncio.get_running_loop()
    if not argv:
        execution.error = "The command is empty; give the program and its arguments."
        return
    try:
        with anyio.CancelScope(shield=True):  # a process is never started and lost
            transport, process = await loop.subprocess_exec(
                lambda: _Process(execution),
                *argv,
                stdin=asyncio.subprocess.DEVNULL if stdin is None else stdin,
                cwd=directory,
                env=env,
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        execution.error = _why_not_started(argv, directory, error)
        return
    group = transport.get_pid()
    try:
        await process.exit()
    except BaseException:
        _signal(group, signal.SIGTERM)
        with anyio.move_on_after(GRACE, shield=True):
            await process.end()
        raise
    finally:
        # As in a container, nothing of the group outlives its first process.
        _signal(group, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.exit()
        # A process that left the group may keep the pipes open for ever.
        with anyio.move_on_after(GRACE, shield=True):
            await process.end()
        transport.close()
        execution.exit_code = code = transport.get_returncode()
        if code is not None and code < 0:
            execution.error = f"killed by signal {-code}"
        elif code:
            execution.error = f"exit status {code}"


class _Process(asyncio.SubprocessProtocol):
    """Passes chunks on in order of arrival, and stops reading while crowded."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._transport: asyncio.SubprocessTransport
        self._changed = asyncio.Event()
        self._open = set(_STREAMS)
        self._paused: set[int] = set()
        self._exited = False

    async def exit(self) -> None:
        """Return when the process has ended; its last output may be under way."""
        await self._until(lambda: self._exited)

    async def end(self) -> None:
        """Return when it has ended and nobody can write to its streams any more."""
        await self._until(lambda: self._exited and not self._open)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()
            self._changed.clear()
            if self._paused:
                await self._execution.relieve()
                paused, self._paused = self._paused, set()
                for pipe in self._pipes(paused & self._open):
                    pipe.resume_reading()

    def _pipes(self, numbers: Collection[int]) -> Iterator[asyncio.ReadTransport]:
        for number in numbers:
            pipe = self._transport.get_pipe_transport(number)
            if isinstance(pipe, asyncio.ReadTransport):
                yield pipe

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._execution.write(_STREAMS[fd], data)
        if self._execution.crowded:
            for pipe in self._pipes(self._open - self._paused):
                pipe.pause_reading()
            self._paused |= self._open
            self._changed.set()

    def pipe_connection_lost(self, fd: int, _: Exception | None) -> None:
        self._open.discard(fd)
        self._changed.set()

    def process_exited(self) -> None:
        self._exited = True
        self._changed.set()


def environment(extra: Mapping[str, str], hide: Collection[str]) -> dict[str, str]:
    """What a subprocess sees: our environment without secrets, and its own variables.

    Args:
        extra: Variables of the program; they win.
        hide: Secrets. A variable that contains one is left out.
    """
    merged = {**os.environ, "PYTHONUNBUFFERED": "1", **extra}
    return {
        name: value
        for name, value in merged.items()
        if not any(secret in value for secret in hide if secret)
    }


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _why_not_started(argv: tuple[str, ...], directory: Path, error: Exception) -> str:
    match error:
        case NotADirectoryError() | FileNotFoundError() if str(error.filename) == str(
            directory
        ):
            return f"The working directory {str(directory)!r} is no directory."
        case FileNotFoundError():
            return (
                f"The program {argv[0]!r} was not found; check its name, or give its"
                " full path."
            )
        case PermissionError():
            return f"The program {argv[0]!r} is not an executable file."
        case OSError():
            reason = error.strerror
        case _:
            reason = str(error)
    return f"The program {argv[0]!r} could not be started: {reason}."


# -- on a worker thread ------------------------------------------------------------


def _fresh_directory() -> Path:
    return Path(tempfile.mkdtemp(prefix="aioruns-local-"))


def _as_file(data: bytes) -> IO[bytes] | None:
    # A file and no pipe: nobody has to feed it, and a program may open /dev/stdin.
    if not data:
        return None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - _clear closes it
    file.write(data)
    file.seek(0)
    return file


def _read_kept(directory: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    kept = {}
    root = directory.resolve()
    for name in names:
        path = (root / name).resolve()
        if path.is_relative_to(root) and path.is_file():
            with suppress(OSError):
                kept[name] = path.read_bytes()
    return kept


def _clear(stdin: IO[bytes] | None, directory: Path | None) -> None:
    if stdin is not None:
        stdin.close()
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)

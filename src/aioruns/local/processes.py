"""Running a command as a subprocess in a process group of its own."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread

from aioruns.local.execution import Execution
from aioruns.local.records import Command, Task

_STREAMS = {1: "stdout", 2: "stderr"}


async def execute_command(
    task: Task, command: Command, execution: Execution, hide: Collection[str]
) -> None:
    """Run a command to its end; see `programs.execute`."""
    fresh: Path | None = None
    stdin: IO[bytes] | None = None
    try:
        with anyio.CancelScope(shield=True):
            if command.cwd is None:
                fresh = await anyio.to_thread.run_sync(_fresh_directory)
            try:
                stdin = await anyio.to_thread.run_sync(_as_file, task.stdin)
            except OSError as error:
                execution.error = f"The input cannot be read: {error.strerror}."
                return
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
        with anyio.move_on_after(execution.grace, shield=True):
            await process.end()
        raise
    finally:
        # As in a container, nothing of the group outlives its first process.
        _signal(group, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.exit()
        # A process that left the group may keep the pipes open for ever.
        with anyio.move_on_after(execution.grace, shield=True):
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


def _as_file(data: bytes | Path) -> IO[bytes] | None:
    if isinstance(data, Path):
        return data.open("rb")
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

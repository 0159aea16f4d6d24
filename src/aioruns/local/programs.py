"""Running one task: a subprocess, or an async callable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import anyio
import anyio.to_thread
import orjson

from aioruns.local.execution import Execution
from aioruns.local.processes import execute_command
from aioruns.local.records import Command, Job, Later, Task

_LOG = logging.getLogger("aioruns.local")


async def execute(task: Task, execution: Execution, *, hide: Collection[str]) -> None:
    """Run a task to its end, and leave in `execution` what became of it.

    Cancelling ends a subprocess with its whole group before this returns.

    Args:
        task: What to run.
        execution: Receives lines, output, kept files, exit code and reason.
        hide: Secrets; no inherited variable that holds one reaches a subprocess.
    """
    place = task.place
    if place is None:
        await _execute(task, execution, hide)
        return
    try:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(place.enter)
        await _execute(task, execution, hide)
    except (OSError, ValueError) as error:
        execution.error = str(error)
    finally:
        with anyio.CancelScope(shield=True):
            try:
                await anyio.to_thread.run_sync(place.leave)
            except (OSError, ValueError) as error:
                execution.error = execution.error or str(error)


async def _execute(task: Task, execution: Execution, hide: Collection[str]) -> None:
    program = task.program
    if isinstance(program, Later):
        try:
            task = await program.make(task)
        except ValueError as error:
            execution.error = str(error)
            return
        await _execute(task, execution, hide)
    elif isinstance(program, Command):
        await execute_command(task, program, execution, hide)
    else:
        await _execute_callable(task, program, execution)


async def _execute_callable(
    task: Task, program: Callable[[Job], Awaitable[object]], execution: Execution
) -> None:
    async def log(text: str) -> None:
        execution.write("stderr", text.encode(errors="replace") + b"\n")
        if execution.crowded:
            await execution.relieve()

    try:
        stdin = task.stdin
        if isinstance(stdin, Path):
            stdin = await anyio.to_thread.run_sync(stdin.read_bytes)
        directory = task.place.directory if task.place else None
        job = Job(stdin=stdin, env=dict(task.env), log=log, directory=directory)
        execution.write(
            "stdout", _as_output(await _with_grace(program, job, execution.grace))
        )
        execution.exit_code = 0
    except Exception as error:  # noqa: BLE001 - a program may fail in any way
        execution.exit_code = 1
        execution.error = str(error) or type(error).__name__
    finally:
        execution.finish()


async def _with_grace(
    program: Callable[[Job], Awaitable[object]], job: Job, grace: float
) -> object:
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
            with anyio.move_on_after(grace, shield=True):
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

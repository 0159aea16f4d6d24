"""`aioruns demo`: one sweep on four platforms at once, against a local run server."""

import time
from collections.abc import Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import typer

import aioruns
from aioruns.cli.demo.display import Display, open_display
from aioruns.cli.demo.entrants import enter_all
from aioruns.cli.demo.picture import draw
from aioruns.cli.demo.problem import read_problem
from aioruns.cli.demo.report import print_report
from aioruns.cli.demo.tally import Tally, last_line
from aioruns.cli.running import CommandError
from aioruns.local import LocalServer


async def demo(
    runs: int, slots: int, max_active: int, problem_file: Path | None, picture: Path
) -> bool:
    """Run the demo.

    Args:
        runs: Runs on each platform.
        slots: Programs at a time on the server.
        max_active: Runs submitted and not yet ended, on each platform.
        problem_file: A problem instead of berlin52.
        picture: Where to draw.

    Returns:
        Whether nothing was lost, duplicated, missing or repeated.

    Raises:
        CommandError: An argument cannot be used; nothing was started.
    """
    problem = await anyio.to_thread.run_sync(read_problem, problem_file)
    place = await anyio.Path(picture).resolve()
    if not await place.parent.is_dir():
        raise CommandError(f"the directory of --picture {picture} does not exist")
    typer.echo(
        f"{problem.name}: {runs} runs on each of four platforms, "
        f"{slots} programs at a time"
    )
    async with (
        LocalServer(slots=slots) as server,
        enter_all(server, problem, runs) as starters,
    ):
        tallies = [Tally(entrant) for entrant in starters]
        with open_display(tallies, runs) as shown:
            await _sweep_all(tallies, max_active, shown)
        for tally in tallies:
            tally.solve(problem)
            await tally.compare(server)
    print_report(tallies, problem)
    await place.write_text(draw(tallies, problem), encoding="utf-8")
    typer.echo(f"picture: {place}")
    typer.echo(last_line(tallies))
    return all(tally.good for tally in tallies)


async def _sweep_all(tallies: Sequence[Tally], max_active: int, shown: Display) -> None:
    """All four sweeps at once, and the logs of all running runs in one stream."""
    async with aioruns.merge_logs() as lines:

        async def sweep_then_finish() -> None:
            async with anyio.create_task_group() as sweeps:
                for tally in tallies:
                    sweeps.start_soon(_sweep, tally, max_active, lines, shown)
            lines.finish()

        async with anyio.create_task_group() as group:
            group.start_soon(sweep_then_finish)
            by_platform = {tally.entrant.name: tally for tally in tallies}
            async for line in lines:
                platform = line.run.runs.platform.name
                tally = by_platform[platform]
                if not tally.entrant.is_program_line(line.event):
                    continue
                tally.log.setdefault(line.run.id, []).append(line.event.message)
                shown.line(platform, line.run.id, line.event.message)


async def _sweep(
    tally: Tally, max_active: int, lines: aioruns.MergedLogs, shown: Display
) -> None:
    started = time.monotonic()
    if tally.entrant.prepare is not None:
        await tally.entrant.prepare()
    async with aioruns.as_completed(
        tally.entrant.specs, max_active=max_active, on_submitted=lines.add
    ) as outcomes:
        async for outcome in outcomes:
            tally.outcomes.append(outcome)
            tally.seconds = time.monotonic() - started
            shown.outcome(tally)


__all__ = ["demo"]

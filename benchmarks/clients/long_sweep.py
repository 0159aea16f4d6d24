"""One long sweep, looked at as it goes on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aioruns
from benchmarks.child import Meter, cpu
from benchmarks.clients.ours import connect
from benchmarks.clients.ours_sweep import specs

ACTIVE = 3000
PARTS = 5


def _resident() -> float:
    """MiB that the process holds now."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return next(
        int(line.split()[1]) / 1024
        for line in text.splitlines()
        if line.startswith("VmRSS:")
    )


@contextmanager
def _file(*, wanted: bool) -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place, "sweep.db") if wanted else None


async def sweep(
    meter: Meter, url: str, platform: str, count: int, *, journal: bool
) -> dict[str, object]:
    """Sweep, and look at the process after each part."""
    memory, times = [], []
    with _file(wanted=journal) as file:
        async with aioruns.Session() as session:
            client = connect(platform, url, session)
            await client.runs.platform.read_states([], {})
            meter.start()
            before, spent, done = _resident(), cpu(), 0
            async with aioruns.as_completed(
                specs(client, platform, count),
                max_active=ACTIVE,
                results=False,
                journal=file,
            ) as outcomes:
                async for outcome in outcomes:
                    if not outcome.succeeded:
                        raise SystemExit(f"a run ended as {outcome}")
                    done += 1
                    if done % (count // PARTS) == 0:
                        memory.append(_resident() - before)
                        times.append((cpu() - spent) * PARTS / count)
                        spent = cpu()
            meter.stop()
    if done != count:
        raise SystemExit(f"{done} outcomes of {count}")
    return {"parts": memory, "times": times}

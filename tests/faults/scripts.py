"""What the runs write: seeded bursts and silence, as a callable or as a process."""

import asyncio
import json
import random
import sys
from pathlib import Path

from attrs import frozen

from aioruns.local.records import Command, Job, Program

# Not a line break but for Python, what a platform takes for an error, and lengths
# around the sizes of buffers.
ODD = (
    "",
    "",
    " ",
    "same",
    "same",
    "Zeile für Zeile, 行ごとに, 🚀",
    "a\u2028b\x85c\x0bd\x0ce\x1df\x1eg",
    "progress 10%\rprogress 20%",
    "\ufefftext",
    '{"error_message":"x","error_details":"y"}',
    "text{'error_message':",
    '"quoted" \\ \t tab',
    "x" * 2047,
    "é" * 4099,
    "z" * 70_000,
)

_PROCESS = """
import json, sys, time
for pause, lines in json.load(open(sys.argv[1])):
    time.sleep(pause)
    sys.stderr.buffer.write("".join(line + "\\n" for line in lines).encode())
    sys.stderr.flush()
print("{}")
"""


@frozen
class Script:
    """Bursts of lines, each after a pause in seconds of the machine."""

    bursts: tuple[tuple[float, tuple[str, ...]], ...]

    @property
    def size(self) -> int:
        """How many lines there are."""
        return sum(len(lines) for _, lines in self.bursts)

    def as_callable(self) -> Program:
        """An async callable of the server's own process."""

        async def write(job: Job) -> object:
            for pause, lines in self.bursts:
                await asyncio.sleep(pause)
                for line in lines:
                    await job.log(line)
            return {"lines": self.size}

        return write

    def as_process(self, directory: Path) -> Program:
        """A real program."""
        program, script = directory / "write.py", directory / "script.json"
        program.write_text(_PROCESS)
        script.write_text(json.dumps(self.bursts))
        return Command((sys.executable, "-SE", str(program), str(script)))


def make_script(rng: random.Random, *, most: int, seconds: float) -> Script:
    """Draw a script.

    Args:
        rng: The dice.
        most: Lines at most.
        seconds: Of the machine, from the first burst to the last, about.
    """
    count = rng.randint(1, 8)
    bursts = []
    left = most
    number = 0
    for _ in range(count):
        size = min(left, rng.choice((0, 1, 2, 10, 50, most)))
        left -= size
        lines = []
        for _ in range(size):
            number += 1
            odd = rng.random() < 0.2
            lines.append(rng.choice(ODD) if odd else f"line {number}")
        pause = rng.choice((0.0, rng.uniform(0, 2 * seconds / count)))
        bursts.append((pause, tuple(lines)))
    return Script(tuple(bursts))

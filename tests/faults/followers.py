"""Starting and killing followers: the other end of the zygote's pipes."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

from attrs import define, field
from tests.faults.follower import Job

_ROOT = Path(__file__).parents[2]


@define(eq=False)
class Follower:
    """A process that follows a log."""

    name: int
    followers: "Followers"
    ended: "asyncio.Future[int]"
    """Its exit code; minus the signal's number if it was killed."""

    async def kill(self) -> None:
        """Send SIGKILL, and return when it is dead; it may have ended before."""
        self.followers.tell(f"kill {self.name}".encode())
        await self.ended


@define(eq=False)
class Followers:
    """All followers of a test run; the zygote lives as long as this."""

    _process: "subprocess.Popen[bytes]" = field(init=False)
    _living: dict[int, Follower] = field(factory=dict, init=False)
    _names: "itertools.count[int]" = field(factory=itertools.count, init=False)
    _answers: bytes = field(default=b"", init=False)

    def open(self) -> None:
        """Start the zygote."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self) -> None:
        """End the zygote, which ends its followers."""
        with self._process:
            pass  # closes its standard input, and waits

    def attach(self) -> None:
        """Let the running event loop hear of ends."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process.stdout.fileno(), self._hear)

    async def detach(self) -> None:
        """Kill what is left of a test."""
        for follower in list(self._living.values()):
            await follower.kill()
        asyncio.get_running_loop().remove_reader(self._process.stdout.fileno())

    def start(self, job: Job) -> Follower:
        """Fork a follower."""
        ended = asyncio.get_running_loop().create_future()
        follower = Follower(next(self._names), self, ended)
        self._living[follower.name] = follower
        self.tell(b"start %d %b" % (follower.name, job.dumps()))
        return follower

    def tell(self, command: bytes) -> None:
        """Send a command to the zygote."""
        os.write(self._process.stdin.fileno(), command + b"\n")

    def _hear(self) -> None:
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(self._process.stdout.fileno())
            for follower in self._living.values():
                follower.ended.set_exception(RuntimeError("the zygote has died"))
            self._living.clear()
            return
        *whole, self._answers = (self._answers + data).split(b"\n")
        for answer in whole:
            name, code = answer.split()
            follower = self._living.pop(int(name))
            follower.ended.set_result(int(code))

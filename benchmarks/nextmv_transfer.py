"""Memory of the Nextmv client while files of many hundred mebibytes go back and forth.

A client in a process of its own submits a directory to a local run server, whose
program gives the files back as its output, and reads the result into another one.
Printed is by how much the client's memory grew at its peak, which must not depend on
the size.

    python benchmarks/nextmv_transfer.py [MEBIBYTES] [--limit MEBIBYTES]
"""

import argparse
import asyncio
import resource
import secrets
import sys
import tempfile
import time
from pathlib import Path

import aioruns
from aioruns.local.records import Job
from aioruns.local.server import LocalServer

MEBIBYTE = 1024 * 1024
FILES = 6
APP = "transfer"


async def give_back(job: Job) -> None:
    """The program: what came in goes out."""
    assert job.directory is not None  # noqa: S101 - files have a place
    await asyncio.to_thread(_give_back, job.directory)


def _give_back(directory: Path) -> None:
    target = directory / "outputs" / "solutions"
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rmdir()
    (directory / "inputs").rename(target)


def write_files(directory: Path, mebibytes: int) -> None:
    """Files of hexadecimal digits, which compress to a bit more than half."""
    directory.mkdir()
    for number in range(FILES):
        with (directory / f"part-{number}.txt").open("wb") as file:
            for _ in range(mebibytes // FILES):
                file.write(secrets.token_bytes(MEBIBYTE // 2).hex().encode())


def sizes(directory: Path) -> dict[str, int]:
    """The bytes of each file."""
    return {file.name: file.stat().st_size for file in directory.rglob("*.txt")}


def peak() -> float:
    """The most memory that this process had so far, in MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024 if sys.platform != "darwin" else used / MEBIBYTE


async def transfer(url: str, given: Path, taken: Path) -> None:
    """The client's part; standard input has the token."""
    token = sys.stdin.readline().strip()
    async with aioruns.Nextmv(token, url=url) as nextmv:
        app = nextmv.application(APP)
        await aioruns.nextmv.Application.exists(nextmv, APP)  # connects and imports
        before = peak()
        began = time.monotonic()
        run_id = await app.new_run(input_dir_path=given)
        print(f"upload:   {peak() - before:6.1f} MiB, {time.monotonic() - began:.0f} s")
        await app.run(run_id).wait(within=600)
        began = time.monotonic()
        result = await app.run_result(run_id, output_dir_path=taken)
        print(f"download: {peak() - before:6.1f} MiB, {time.monotonic() - began:.0f} s")
        if result.metadata.status_v2 != "succeeded":
            raise SystemExit(f"the run ended as {result.metadata.status_v2}: {result}")
        print(f"growth {peak() - before:.1f}")


async def main(mebibytes: int, limit: float) -> None:
    """The server's part, and the verdict."""
    with tempfile.TemporaryDirectory() as place:
        given, taken = Path(place, "given"), Path(place, "taken")
        await asyncio.to_thread(write_files, given, mebibytes)
        async with LocalServer() as server:
            server.nextmv.register(APP, give_back)
            client = await asyncio.create_subprocess_exec(
                sys.executable,
                __file__,
                "--client",
                server.url,
                str(given),
                str(taken),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await client.communicate(server.token.encode() + b"\n")
        text = said.decode()
        print(text, end="")
        if client.returncode:
            raise SystemExit("the client failed")
        if await asyncio.to_thread(sizes, given) != await asyncio.to_thread(
            sizes, taken
        ):
            raise SystemExit("other files came back than were sent")
    growth = float(text.rsplit(maxsplit=1)[-1])
    if growth > limit:
        raise SystemExit(f"the client grew by {growth} MiB, more than {limit:g}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--client"]:
        asyncio.run(transfer(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("mebibytes", nargs="?", type=int, default=600)
        parser.add_argument("--limit", type=float, default=150.0)
        arguments = parser.parse_args()
        asyncio.run(main(arguments.mebibytes, arguments.limit))

"""Starting an official client in an environment of its own."""

import asyncio
import json
import os
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LIMIT = 60.0


def interpreter() -> Path:
    """The interpreter of the environment that has the official clients."""
    chosen = os.environ.get("AIORUNS_PEERS_PYTHON")
    path = Path(chosen) if chosen else _ROOT / ".venv-peers" / "bin" / "python"
    if not path.exists():
        raise AssertionError(
            f"There is no interpreter {path} with the official clients: `make peers` "
            "makes it, and AIORUNS_PEERS_PYTHON may name another one."
        )
    return path


async def drive(script: str, *args: str, env: dict[str, str] | None = None) -> dict:
    """Run a script of this directory and return the JSON object that it prints last.

    Args:
        script: The file's name.
        args: Its arguments.
        env: Variables beside PATH; nothing else of ours reaches the script, so that no
            proxy, profile or import path does.
    """
    with tempfile.TemporaryDirectory(prefix="aioruns-peer-") as home:
        process = await asyncio.create_subprocess_exec(
            str(interpreter()),
            str(Path(__file__).with_name(script)),
            *args,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": home} | (env or {}),
        )
        try:
            async with asyncio.timeout(_LIMIT):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            raise AssertionError(
                f"{script} did not end within {_LIMIT:g} s.\n{_tail(out, err)}"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, (
        f"{script} ended with {process.returncode}.\n{_tail(out, err)}"
    )
    return json.loads(out.decode().splitlines()[-1])


def _tail(out: bytes, err: bytes) -> str:
    return "\n".join(text.decode(errors="replace")[-4000:] for text in (out, err))

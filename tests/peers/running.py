"""Starting an official client in an environment of its own."""

import asyncio
import json
import os
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LIMIT = 60.0


_VARIABLES = {
    ".venv-peers": "AIORUNS_PEERS_PYTHON",
    # Two releases of one client cannot be in one environment.
    ".venv-peers-kfp2": "AIORUNS_PEERS_KFP2_PYTHON",
}


def interpreter(environment: str = ".venv-peers") -> Path:
    """The interpreter of an environment that has official clients."""
    variable = _VARIABLES[environment]
    chosen = os.environ.get(variable)
    path = Path(chosen) if chosen else _ROOT / environment / "bin" / "python"
    if not path.exists():
        raise AssertionError(
            f"There is no interpreter {path} with the official clients: `make peers` "
            f"makes it, and {variable} may name another one."
        )
    return path


async def drive(
    script: str,
    *args: str,
    env: dict[str, str] | None = None,
    environment: str = ".venv-peers",
) -> dict:
    """Run a script of this directory and return the JSON object that it prints last.

    Args:
        script: The file's name.
        args: Its arguments.
        env: Variables beside PATH; nothing else of ours reaches the script, so that no
            proxy, profile or import path does.
        environment: The one with the official client.
    """
    with tempfile.TemporaryDirectory(prefix="aioruns-peer-") as home:
        process = await asyncio.create_subprocess_exec(
            str(interpreter(environment)),
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

"""Drive the official ABEJA client through all cases, and write down what it did.

Run with the interpreter that has the official client; `make vectors` does.
"""

import importlib
import importlib.metadata
import inspect
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from abeja.common.connection import Connection
from tests.wire.abeja.case import CONNECTIONS, NAMES, Case
from tests.wire.abeja.cases import RESOURCES
from tests.wire.abeja.operations import OPERATIONS
from tests.wire.recording import Recorder, recording

VERSION = "2.3.6"
VECTORS = Path(__file__).parent / "abeja" / "vectors"


class Official:
    """The clients of the official library as one, with one repetition of failures."""

    def __init__(self, credential: dict[str, str] | None) -> None:
        # wire/abeja.md 1.4: no repetition at all cannot be chosen.
        self._clients = {
            module: importlib.import_module(f"abeja.{module}").APIClient(
                credential=credential, max_retry_count=1
            )
            for module in OPERATIONS
        }

    def __getattr__(self, name: str) -> Any:
        module = next(one for one, names in OPERATIONS.items() if name in names)
        return getattr(self._clients[module], name)


def main() -> None:
    """Write the files; with `--check`, only say whether they would change."""
    found = importlib.metadata.version("abeja-sdk")
    if found != VERSION:
        sys.exit(f"The vectors are of abeja-sdk {VERSION}, and this is {found}.")
    # No credential, address, password file or proxy of this machine may have a say.
    for name in [one for one in os.environ if one.startswith(("ABEJA", "PLATFORM_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home, recording() as recorder:
        os.environ |= {"HOME": home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        Connection.BASE_URL = recorder.url
        keep("signatures", signatures())
        for resource, cases in RESOURCES.items():
            keep(resource, {case.id: vector(case, recorder) for case in cases})


def keep(name: str, vectors: dict[str, Any]) -> None:
    """Write a file, or compare it."""
    text = f"{json.dumps(vectors, indent=1, ensure_ascii=False)}\n"
    file = VECTORS / f"{name}.json"
    if sys.argv[1:] != ["--check"]:
        file.write_text(text)
    elif file.read_text() != text:
        sys.exit(f"{file.name} is not what abeja-sdk {VERSION} does now")
    print(f"{name}: {len(vectors)}")  # noqa: T201 - a script that reports


def signatures() -> dict[str, list[str]]:
    """The names of the arguments of all operations, in their order."""
    official = Official({})
    return {
        name: list(inspect.signature(getattr(official, name)).parameters)
        for names in OPERATIONS.values()
        for name in names
    }


def vector(case: Case, recorder: Recorder) -> dict[str, Any]:
    """What the official client sends and gives back for one case."""
    recorder.play(case.answers)
    outcome = evaluate(case)
    wrong = outcome.get("status") == 418 or outcome.get("error") in {
        "NameError",
        "SyntaxError",
        "TypeError",
        "AttributeError",
    }
    if wrong and not case.official_fails:
        sys.exit(f"{case.id}: answers left {recorder.unused}, outcome {outcome}")
    return {"requests": recorder.requests, "outcome": outcome}


def evaluate(case: Case) -> dict[str, Any]:
    """Call the official client."""
    connection = CONNECTIONS[case.connect]
    os.environ |= connection.environment
    # The client writes into what it is given.
    given = None if connection.arguments is None else dict(connection.arguments)
    try:
        names = {**NAMES, "api": Official(given)}
        return {"value": eval(case.call, names)}  # noqa: S307 - the cases are our own
    except Exception as error:  # noqa: BLE001 - what it raises is the outcome
        outcome = {"error": type(error).__name__}
        if hasattr(error, "status_code"):
            outcome |= {
                "status": error.status_code,
                "code": error.error,
                "said": error.error_description,
            }
        return outcome
    finally:
        for name in connection.environment:
            del os.environ[name]


if __name__ == "__main__":
    main()

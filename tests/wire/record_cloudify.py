"""Drive the official Cloudify client through all cases, and write down what it did.

Run with the interpreter that has the official client; `make vectors` does.
"""

import importlib.metadata
import inspect
import json
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cloudify_rest_client import CloudifyClient
from tests.wire.cloudify.case import CREDENTIALS, Case
from tests.wire.cloudify.cases import RESOURCES
from tests.wire.cloudify.seeing import (
    NAMES,
    ManagerRecorder,
    raised,
    recording,
    returned,
)

VERSION = "7.0.5"
VECTORS = Path(__file__).parent / "cloudify" / "vectors"


def main() -> None:
    """Write one file a resource; with `--check`, only say whether they would change."""
    found = importlib.metadata.version("cloudify-common")
    if found != VERSION:
        sys.exit(f"The vectors are of cloudify-common {VERSION}, and this is {found}.")
    checking = sys.argv[1:] == ["--check"]
    logging.disable()
    with tempfile.TemporaryDirectory() as home, recording() as recorder:
        # No netrc or proxy of this machine may have a say.
        os.environ |= {"HOME": home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        for resource, cases in RESOURCES.items():
            vectors = {case.id: vector(case, recorder) for case in cases}
            text = f"{json.dumps(vectors, indent=1, ensure_ascii=False)}\n"
            file = VECTORS / f"{resource}.json"
            if not checking:
                file.write_text(text)
            elif file.read_text() != text:
                sys.exit(f"{file.name} is not what cloudify-common {VERSION} does now")
            print(f"{resource}: {len(vectors)}")  # noqa: T201 - a script that reports


def vector(case: Case, recorder: ManagerRecorder) -> dict[str, Any]:
    """What the official client sends and gives back for one case."""
    recorder.play(case.answers)
    try:
        value = eval(case.call, NAMES | {"client": connected(case, recorder)})  # noqa: S307 - the cases are our own
        outcome = returned([*value] if inspect.isgenerator(value) else value)
    except Exception as error:  # noqa: BLE001 - what it raises is the outcome
        outcome = raised(error)
    left = recorder.unused - case.spare
    if not case.official_fails and (left or outcome.get("status") == 418):
        sys.exit(f"{case.id}: {left} answers are left, and the outcome is {outcome}")
    return {"requests": recorder.seen, "outcome": outcome}


def connected(case: Case, recorder: ManagerRecorder) -> CloudifyClient:
    """The official client with the credentials of a case."""
    address = urlsplit(recorder.url)
    credentials = dict(CREDENTIALS[case.connect])
    execution_token = credentials.pop("execution_token", None)
    return CloudifyClient(
        host=address.hostname,
        port=address.port,
        headers={"Execution-Token": execution_token} if execution_token else None,
        **credentials,
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()

"""Drive the official Nextmv client through all cases, and write down what it did.

Run with the interpreter that has the official client; `make vectors` does.
"""

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import warnings
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import nextmv
from nextmv import cloud
from tests.wire.nextmv.case import Case
from tests.wire.nextmv.cases import RESOURCES
from tests.wire.plain import hide_generated, raised, returned, tree
from tests.wire.recording import Recorder, recording

VERSION = "1.13.0"
VECTORS = Path(__file__).parent / "nextmv" / "vectors"


def main() -> None:
    """Write one file a resource; with `--check`, only say whether they would change."""
    found = importlib.metadata.version("nextmv")
    if found != VERSION:
        sys.exit(f"The vectors are of nextmv {VERSION}, and this is {found}.")
    checking = sys.argv[1:] == ["--check"]
    # No profile, key or proxy of this machine may have a say.
    for name in [name for name in os.environ if name.startswith("NEXTMV_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home, recording() as recorder:
        os.environ |= {"HOME": home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        for resource, cases in RESOURCES.items():
            vectors = {case.id: vector(case, recorder) for case in cases}
            text = f"{json.dumps(vectors, indent=1, ensure_ascii=False)}\n"
            file = VECTORS / f"{resource}.json"
            if not checking:
                file.write_text(text)
            elif file.read_text() != text:
                sys.exit(f"{file.name} is not what nextmv {VERSION} does now")
            print(f"{resource}: {len(vectors)}")  # noqa: T201 - a script that reports


def vector(case: Case, recorder: Recorder) -> dict[str, Any]:
    """What the official client sends and gives back for one case."""
    recorder.play(case.answers)
    directory = Path(tempfile.mkdtemp(prefix="vectors-"))
    before = Path.cwd()
    try:
        os.chdir(directory)
        seen = evaluate(case, recorder, directory)
    finally:
        os.chdir(before)
        shutil.rmtree(directory)
    if not case.official_fails and (recorder.unused or _failed_to_see(seen)):
        sys.exit(f"{case.id}: answers left {recorder.unused}, outcome {seen}")
    text = json.dumps({"requests": recorder.requests} | seen)
    text = text.replace(recorder.files, "$FILES").replace(str(directory), "$TMP")
    return json.loads(hide_generated(text, case.generated))


def _failed_to_see(seen: dict[str, Any]) -> bool:
    """Whether a case that is expected to work has gone wrong by itself."""
    outcome = seen["outcome"]
    return outcome.get("status") == 418 or outcome.get("error") in {
        "NameError",
        "SyntaxError",
        "AttributeError",
    }


def evaluate(case: Case, recorder: Recorder, directory: Path) -> dict[str, Any]:
    """Call the official client."""
    client = cloud.Client(api_key="wire-key", url=recorder.url)
    names = _public(nextmv) | _public(cloud)
    names |= {
        "date": date,
        "datetime": datetime,
        "timedelta": timedelta,
        "timezone": timezone,
        "client": client,
        "FILES": recorder.files,
        "QUICK": nextmv.PollingOptions(initial_delay=0, delay=0, backoff=0, jitter=0),
        "tree": tree,
        "tmp": directory,
    }
    names |= case.setup(directory) if case.setup else {}
    seen: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            names["app"] = (
                eval(case.app, names)  # noqa: S307 - the cases are our own
                if case.app
                else cloud.Application(client=client, id="routing")
            )
            seen["outcome"] = returned(eval(case.call, names))  # noqa: S307 - as above
        except Exception as error:  # noqa: BLE001 - what it raises is the outcome
            seen["outcome"] = raised(error)
    if case.shows:
        seen["shown"] = eval(case.shows, names)  # noqa: S307 - as above
    return seen


def _public(module: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, type(json))
    }


if __name__ == "__main__":
    main()

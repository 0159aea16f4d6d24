"""Drive an official Kubeflow client through its cases, and write down what it did.

Run with the interpreter that has the official client; `make vectors` does. There are
two of them, with the same name and for one REST version each, so whichever is found
decides what is recorded.
"""

import importlib.metadata
import json
import sys
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import kfp_server_api
from tests.wire.kubeflow.case import CONNECTIONS, Case
from tests.wire.kubeflow.cases import VERSIONS
from tests.wire.kubeflow.seeing import NAMES, KubeflowRecorder, returned
from tests.wire.plain import raised

CLIENTS = {"1.8.5": "v1beta1", "2.17.3": "v2beta1"}
VECTORS = Path(__file__).parent / "kubeflow" / "vectors"


def main() -> None:
    """Write the file; with `--check`, only say whether it would change."""
    found = importlib.metadata.version("kfp-server-api")
    if found not in CLIENTS:
        sys.exit(
            f"The vectors are of kfp-server-api {[*CLIENTS]}, and this is {found}."
        )
    version = CLIENTS[found]
    with closing(KubeflowRecorder()) as recorder:
        vectors = {case.id: vector(case, recorder) for case in VERSIONS[version]}
    text = f"{json.dumps(vectors, indent=1, ensure_ascii=False)}\n"
    file = VECTORS / f"{version}.json"
    if sys.argv[1:] != ["--check"]:
        file.write_text(text)
    elif file.read_text() != text:
        sys.exit(f"{file.name} is not what kfp-server-api {found} does now")
    print(f"{version}: {len(vectors)}")  # noqa: T201 - a script that reports


def vector(case: Case, recorder: KubeflowRecorder) -> dict[str, Any]:
    """What the official client sends and gives back for one case."""
    recorder.play(case.answers)
    names = {**NAMES, "kfp": kfp_server_api, "service": service(case, recorder)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = eval(case.call, names)  # noqa: S307 - the cases are our own
        outcome = returned(value)
    except Exception as error:  # noqa: BLE001 - what it raises is the outcome
        outcome = raised(error)
    wrong = outcome.get("status") == 418 or outcome.get("error") in {
        "NameError",
        "SyntaxError",
        "AttributeError",
    }
    if wrong and not case.official_fails:
        sys.exit(f"{case.id}: answers left {recorder.unused}, outcome {outcome}")
    text = json.dumps({"requests": recorder.seen, "outcome": outcome})
    return json.loads(text)


def service(case: Case, recorder: KubeflowRecorder) -> Any:
    """The official client, connected as the case says."""
    how = CONNECTIONS[case.connect]
    configuration = kfp_server_api.Configuration(
        host=recorder.url + how.get("path", "")
    )
    if "token" in how:
        configuration.api_key["authorization"] = how["token"]
        configuration.api_key_prefix["authorization"] = "Bearer"
    client = kfp_server_api.ApiClient(
        configuration,
        header_name="kubeflow-userid" if "user_id" in how else None,
        header_value=how.get("user_id"),
        cookie=how.get("cookie"),
    )
    return kfp_server_api.RunServiceApi(client)


if __name__ == "__main__":
    main()

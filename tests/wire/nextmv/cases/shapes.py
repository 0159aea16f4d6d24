"""Answer bodies as the server sends them (wire/nextmv.md 4): rich, with unknown keys.

Every function takes changes; a key that is changed to `ABSENT` is left out.
"""

import gzip
import io
import tarfile
from typing import Any

ABSENT = object()
"""In place of a value: the key is not there."""

Json = dict[str, Any]

CREATED = "2026-05-04T21:00:00.120Z"
UPDATED = "2026-05-04T23:00:00.123456789+02:00"
"""Nine digits and an offset: clients keep six digits."""


def changed(body: Json, changes: Json) -> Json:
    """Change some keys, and leave out those that are to be absent."""
    return {
        key: value for key, value in (body | changes).items() if value is not ABSENT
    }


def format_of(kind: str, output: str | None = None) -> Json:
    """A format; the output's is the same unless given."""
    return {"input": {"type": kind}, "output": {"type": output or kind}}


def metadata(**changes: Any) -> Json:
    """The inner object of a run's metadata."""
    return changed(
        {
            "application_id": "routing",
            "application_instance_id": "staging",
            "application_version_id": "v3",
            "created_at": CREATED,
            "initiated_at": "2026-05-04T21:00:02.007Z",
            "duration": 1234.5,
            "execution_duration": 1001,
            "error": "",
            "input_size": 25,
            "output_size": 321.5,
            "format": format_of("json"),
            "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
            "execution_class": "6c9500mb870s",
            "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
            "options": {
                "active_options": {"threads": "4", "duration": "10s"},
                "options_summary": [
                    {"name": "threads", "value": "4", "source": "run"},
                    {"name": "duration", "value": "10s", "source": "instance"},
                ],
                "request_options": {"threads": "4"},
            },
            "queuing_disabled": False,
            "queuing_priority": 6,
            "secrets_collection_id": "keys",
            "experiment_id": "nightly-7",
            "experiment_type": "batch",
            "metrics": {"value": 812.123456789, "stops": 12, "solver": "highs"},
            "statistics": {"result": {"value": 812.5, "custom": {"gap": None}}},
            "tracking": {"cloned_run_id": "run-0", "unheard": 1},
            "status_v2": "succeeded",
            "cost_center": "unheard of",
        },
        changes,
    )


def information(run_id: str = "run-1", **changes: Any) -> Json:
    """The answer of a run's metadata endpoint; `changes` are of the inner object."""
    return {
        "id": run_id,
        "name": "night-042",
        "description": "made by night",
        "user_email": "dev@example.org",
        "metadata": metadata(**changes),
        "labels": ["unheard", "of"],
    }


def bare_information(run_id: str = "run-1", **changes: Any) -> Json:
    """As little as the official client accepts."""
    return {
        "id": run_id,
        "name": "",
        "description": "",
        "user_email": "",
        "metadata": changed(
            {
                "application_id": "routing",
                "application_instance_id": "",
                "application_version_id": "",
                "created_at": CREATED,
                "duration": 0,
                "error": "",
                "input_size": 0,
                "output_size": 0,
                "format": format_of("json"),
                "run_type": {"type": ""},
                "status_v2": "succeeded",
            },
            changes,
        ),
    }


def result(run_id: str = "run-1", **changes: Any) -> Json:
    """The answer of a run's own endpoint."""
    return information(run_id, **changes) | {"output": OUTPUT}


OUTPUT: Json = {
    "options": {"threads": 4},
    "solution": {"routes": [{"id": "r1", "stops": ["s1", "ü"]}]},
    "assets": [],
    "metrics": {"value": 812.5, "nothing": None},
}


def run(run_id: str = "run-1", **changes: Any) -> Json:
    """A run as an item of a list."""
    return changed(
        {
            "id": run_id,
            "user_email": "dev@example.org",
            "name": "night-042",
            "description": "",
            "created_at": CREATED,
            "application_id": "routing",
            "application_instance_id": "staging",
            "application_version_id": "v3",
            "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
            "execution_class": "6c9500mb870s",
            "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
            "status_v2": "running",
            "queuing_priority": 6,
            "queuing_disabled": False,
            "experiment_id": "nightly-7",
            "input_id": "in-1",
            "option_set": "fast",
            "scenario_id": "scenario-1",
            "repetition": 0,
            "input_set_id": "set-1",
            "options": {"threads": "4"},
            "request_options": {},
            "options_summary": [{"name": "threads", "value": 4, "source": "run"}],
            "statistics": {
                "status": "success",
                "indicators": [{"name": "result.value", "value": 812.5}],
            },
            "metrics": {
                "status": "success",
                "error": "",
                "indicators": [
                    {"name": "value", "value": 812.5},
                    {"name": "solver", "value": "highs"},
                    {"name": "none", "value": None},
                ],
            },
            "shard": "unheard of",
        },
        changes,
    )


def bare_run(run_id: str = "run-2", **changes: Any) -> Json:
    """As little of a run in a list as the official client accepts."""
    return changed(
        {
            "id": run_id,
            "user_email": "",
            "name": "",
            "description": "",
            "created_at": "2026-05-04T21:00:00Z",
            "application_id": "routing",
            "application_instance_id": "",
            "application_version_id": "",
            "run_type": {"type": ""},
            "execution_class": "",
            "runtime": "",
            "status_v2": "queued",
        },
        changes,
    )


def upload(number: int = 1) -> Json:
    """Where to upload something."""
    return {
        "upload_id": f"up-{number}",
        "upload_url": f"$FILES/up/{number}?sig=a%2Fb&n={number}",
        "expires": "soon",
    }


def application(app_id: str = "routing", **changes: Any) -> Json:
    """An application."""
    return changed(
        {
            "id": app_id,
            "name": "Routing",
            "description": "Routes of the depot",
            "type": "custom",
            "default_instance": "staging",
            "default_experiment_instance": "trial",
            "subscription_id": "",
            "locked": False,
            "created_at": CREATED,
            "updated_at": UPDATED,
            "owner": "unheard of",
        },
        changes,
    )


def experiment(experiment_id: str = "nightly-7", **changes: Any) -> Json:
    """What the metadata of batch experiments have in common."""
    return changed(
        {
            "id": experiment_id,
            "app_id": "routing",
            "name": "Nightly 7",
            "description": "",
            "type": "batch",
            "status": "completed",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "number_of_requested_runs": 2,
            "number_of_runs": 2,
            "number_of_completed_runs": 1,
            "option_sets": {"fast": {"duration": "5s"}, "slow": {"duration": "60s"}},
            "budget": "unheard of",
        },
        changes,
    )


def batch(experiment_id: str = "nightly-7", **changes: Any) -> Json:
    """A batch experiment itself."""
    return changed(
        experiment(experiment_id)
        | {
            "input_set_id": "set-1",
            "instance_ids": ["staging"],
            "grouped_distributional_summaries": [{"group_keys": ["instanceID"]}],
        },
        changes,
    )


def input_set(set_id: str = "set-1", **changes: Any) -> Json:
    """An input set."""
    return changed(
        {
            "id": set_id,
            "app_id": "routing",
            "name": "Set 1",
            "description": "",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "input_ids": ["in-1", "in-2"],
            "inputs": [],
            "source": "unheard of",
        },
        changes,
    )


def managed_input(input_id: str = "in-1", **changes: Any) -> Json:
    """A managed input."""
    return changed(
        {
            "id": input_id,
            "name": "Monday",
            "description": "Stops of a Monday",
            "upload_id": "up-1",
            "run_id": None,
            "format": format_of("json"),
            "created_at": CREATED,
            "updated_at": UPDATED,
            "size": 12,
        },
        changes,
    )


def instance(instance_id: str = "staging", **changes: Any) -> Json:
    """An instance."""
    return changed(
        {
            "id": instance_id,
            "application_id": "routing",
            "version_id": "v3",
            "name": "Staging",
            "description": "",
            "configuration": {
                "execution_class": "6c9500mb870s",
                "format": format_of("json"),
                "options": {"threads": "4", "deep": {"a": [1, None]}},
                "secrets_collection_id": "keys",
                "queuing": {"priority": 3, "disabled": False},
            },
            "locked": False,
            "created_at": CREATED,
            "updated_at": UPDATED,
            "region": "unheard of",
        },
        changes,
    )


def version(version_id: str = "v3", **changes: Any) -> Json:
    """A version."""
    return changed(
        {
            "id": version_id,
            "application_id": "routing",
            "name": "Version 3",
            "description": "",
            "executable": {
                "id": "exe-1",
                "user_email": "dev@example.org",
                "uploaded_at": CREATED,
                "requirements": {
                    "executable_type": "python",
                    "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
                },
            },
            "created_at": CREATED,
            "updated_at": UPDATED,
            "checksum": "unheard of",
        },
        changes,
    )


def secrets_summary(collection_id: str = "keys", **changes: Any) -> Json:
    """A secrets collection without its secrets."""
    return changed(
        {
            "id": collection_id,
            "application_id": "routing",
            "name": "Keys",
            "description": "",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "rotation": "unheard of",
        },
        changes,
    )


SECRETS = [
    {"type": "env", "location": "TOKEN", "value": "****"},
    {"type": "file", "location": "licenses/solver.lic", "value": "****"},
    {"type": "env", "location": "OLD", "value": "****"},
]


def ensemble(ensemble_id: str = "duo", **changes: Any) -> Json:
    """An ensemble definition."""
    return changed(
        {
            "id": ensemble_id,
            "application_id": "routing",
            "name": "Duo",
            "description": "Two at once",
            "run_groups": [
                {"id": "g1", "instance_id": "staging", "options": {"threads": "1"}},
                {"id": "g2", "instance_id": "trial", "repetitions": 2},
            ],
            "rules": [
                {
                    "id": "best",
                    "statistics_path": "$.result.value",
                    "objective": "minimize",
                    "tolerance": {"value": 0.5, "type": "relative"},
                    "index": 0,
                }
            ],
            "created_at": CREATED,
            "updated_at": UPDATED,
            "quorum": "unheard of",
        },
        changes,
    )


METRIC = {
    "field": "result.value",
    "metric_type": "direct-comparison",
    "params": {"operator": "lt", "tolerance": {"type": "absolute", "value": 0.5}},
    "statistic": "shifted_geometric_mean",
}

_STATISTICS = {
    "instance_id": "staging",
    "version_id": "v3",
    "number_of_runs_total": 4,
    "distribution_summary_statistics": {
        "min": 1,
        "max": 4,
        "count": 4,
        "mean": 2.5,
        "std": 1.25,
        "shifted_geometric_mean": 2.25,
        "shift_parameter": 10,
    },
    "distribution_percentiles": {
        name: number
        for number, name in enumerate(
            ("p01", "p05", "p10", "p25", "p50", "p75", "p90", "p95", "p99")
        )
    },
}


def acceptance(test_id: str = "gate", **changes: Any) -> Json:
    """An acceptance test."""
    return changed(
        {
            "id": test_id,
            "app_id": "routing",
            "experiment_id": test_id,
            "name": "Gate",
            "description": "",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "control": {"instance_id": "staging", "version_id": "v3"},
            "candidate": {"instance_id": "trial", "version_id": "v4"},
            "metrics": [METRIC],
            "status": "completed",
            "results": {
                "passed": True,
                "metric_results": [
                    {
                        "metric": METRIC,
                        "statistics": {
                            "control": _STATISTICS,
                            "candidate": _STATISTICS | {"instance_id": "trial"},
                        },
                        "passed": True,
                    }
                ],
            },
            "reviewer": "unheard of",
        },
        changes,
    )


def shadow(test_id: str = "shade", **changes: Any) -> Json:
    """A shadow test."""
    return changed(
        {
            "id": test_id,
            "app_id": "routing",
            "name": "Shade",
            "description": "",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "completed_at": UPDATED,
            "status": "completed",
            "comparisons": [
                {
                    "baseline_instance_id": "staging",
                    "candidate_instance_ids": ["trial", "next"],
                }
            ],
            "start_events": {"time": CREATED},
            "termination_events": {"maximum_runs": 20, "time": UPDATED},
            "grouped_distributional_summaries": [{"group_keys": ["instanceID"]}],
            "traffic": "unheard of",
        },
        changes,
    )


def switchback(test_id: str = "swing", **changes: Any) -> Json:
    """A switchback test."""
    return changed(
        {
            "id": test_id,
            "app_id": "routing",
            "name": "Swing",
            "description": "",
            "created_at": CREATED,
            "updated_at": UPDATED,
            "started_at": CREATED,
            "completed_at": UPDATED,
            "status": "started",
            "comparison": {
                "baseline_instance_id": "staging",
                "candidate_instance_id": "trial",
            },
            "plan": {
                "start": CREATED,
                "units": [
                    {"duration_minutes": 30, "instance_id": "staging", "index": 0},
                    {"duration_minutes": 30.5, "instance_id": "trial", "index": 1},
                ],
            },
            "traffic": "unheard of",
        },
        changes,
    )


def page(items: list[Json], token: object = ABSENT, key: str = "items") -> Json:
    """A page of a list."""
    return changed({key: items}, {"next_page_token": token})


def archive(files: dict[str, str]) -> bytes:
    """A tar.gz that is the same at any time."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(content.getvalue(), mtime=0)

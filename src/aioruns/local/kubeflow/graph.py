"""The nodes of a run's workflow, and how they hang together (wire/kubeflow.md 6.4)."""

from aioruns.local.kubeflow.manifests import hash_of
from aioruns.local.kubeflow.rows import detail, named, omit_empty
from aioruns.local.kubeflow.states import stamp, told
from aioruns.local.records import Json, RunRecord, State, TaskRecord

_PHASES = {
    State.QUEUED: "Pending",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Succeeded",
    State.FAILED: "Failed",
    State.CANCELED: "Failed",
}


def phase_of(record: RunRecord) -> str:
    """The workflow's; once it was picked up it is running, retried or not."""
    return _PHASES[record.state] if record.state.final else "Running"


def nodes(record: RunRecord) -> dict[str, dict[str, Json]]:
    """The status nodes by id, without outputs; tasks still waiting have none."""
    row = detail(record)
    shown = {}
    for node in row["nodes"]:
        entry = _node(record, node)
        if entry:
            shown[node["id"]] = entry
    if row["kind"] == "Pod":
        return shown
    if row["kind"] == "Steps":
        return _with_groups(record, shown)
    for node in row["nodes"]:
        if node["id"] in shown:
            below = [n["id"] for n in row["nodes"] if node["task"] in n["after"]]
            _link(record, shown[node["id"]], [one for one in below if one in shown])
    first = [n["id"] for n in row["nodes"] if not n["after"] and n["id"] in shown]
    needed = {task for node in row["nodes"] for task in node["after"]}
    last = [
        n["id"] for n in row["nodes"] if n["task"] not in needed and n["id"] in shown
    ]
    return {row["workflow"]: _root(record, first, last)} | shown


def _with_groups(
    record: RunRecord, steps: dict[str, dict[str, Json]]
) -> dict[str, dict[str, Json]]:
    """A node for each group of steps, from which that of the next one follows."""
    row = detail(record)
    name = row["workflow"]
    groups: dict[int, list[str]] = {}
    for node in row["nodes"]:
        if node["id"] in steps:
            groups.setdefault(node["group"], []).append(node["id"])
    ids = {place: f"{name}{hash_of(f'{name}[{place}]')}" for place in groups}
    shown: dict[str, dict[str, Json]] = {}
    for place, members in groups.items():
        following = [ids[place + 1]] if place + 1 in ids else []
        for member in members:
            _link(record, steps[member], following)
        group = _group(name, place, [steps[member] for member in members])
        shown[ids[place]] = {"id": ids[place], **group}
        _link(record, shown[ids[place]], members)
    first, last = list(ids.values())[:1], groups[max(groups)] if groups else []
    return {name: _root(record, first, last)} | shown | steps


def _group(
    workflow: str, place: int, members: list[dict[str, Json]]
) -> dict[str, Json]:
    phases = {member["phase"] for member in members}
    running = phases & {"Pending", "Running"}
    phase = "Succeeded"
    if running:
        phase = "Running"
    elif "Failed" in phases:
        phase = "Failed"
    elif phases == {"Omitted"}:
        phase = "Omitted"
    times = [member["startedAt"] for member in members if member["startedAt"]]
    ends = [member["finishedAt"] for member in members if member["finishedAt"]]
    return {
        "name": f"{workflow}[{place}]",
        "displayName": f"[{place}]",
        "type": "StepGroup",
        "phase": phase,
        "startedAt": min(times, default=None),
        "finishedAt": None if running else max(ends, default=None),
    }


def _link(record: RunRecord, node: dict[str, Json], children: list[str]) -> None:
    node |= {"children": children} if children else {}
    node["boundaryID"] = detail(record)["workflow"]


def _root(record: RunRecord, first: list[str], last: list[str]) -> dict[str, Json]:
    row = detail(record)
    root = {
        "id": row["workflow"],
        "name": row["workflow"],
        "displayName": row["workflow"],
        "type": row["kind"],
        "templateName": row["entrypoint"],
        "phase": phase_of(record),
        "startedAt": time_of(record, "started"),
        "finishedAt": time_of(record, "ended"),
        "children": first,
    }
    return root | ({"outboundNodes": last} if record.state.final else {})


def _node(record: RunRecord, node: dict[str, Json]) -> dict[str, Json]:
    task = record.tasks[node["task"]]
    entry: dict[str, Json] = {
        "id": node["id"],
        "name": node["name"],
        "displayName": node["display_name"],
        "type": "Pod",
        "templateName": node["template"],
        "phase": _PHASES[task.state],
        "startedAt": stamp(task.started) if task.started else None,
        "finishedAt": stamp(task.ended) if task.ended else None,
    }
    if node["inputs"]:
        entry["inputs"] = {"parameters": named(list(node["inputs"].items()))}
    if task.started is None:
        ready = all(
            record.tasks[name].state is State.SUCCEEDED for name in node["after"]
        )
        if record.state.final and node["after"] and not ready:
            message = "omitted: depends condition not met"
            omitted = {"type": "Skipped", "phase": "Omitted", "message": message}
            return entry | omitted
        if not ready:
            return {}
    return entry | omit_empty({"message": _message(record, task)})


def _message(record: RunRecord, task: TaskRecord) -> str:
    if task.state is State.CANCELED or (
        task.state is State.FAILED and told(record) == "terminate"
    ):
        return "Step exceeded its deadline"
    if task.state is not State.FAILED:
        return ""
    if task.exit_code is None:
        return f"Error: {task.error}"
    code = f"Error (exit code {task.exit_code})"
    # The engine's own words for an exit code would only repeat it.
    said = task.error and not task.error.startswith(("exit status", "killed by"))
    return f"{code}: {task.error}" if said else code


def time_of(record: RunRecord, which: str) -> str | None:
    """When the workflow `started` or `ended`; None if it has not."""
    moment = record.started if which == "started" else record.ended
    return stamp(moment) if moment else None

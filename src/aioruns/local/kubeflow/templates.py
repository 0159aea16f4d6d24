"""Putting names and parameters into the templates of a manifest."""

import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath

import orjson
from attrs import evolve

from aioruns.local.kubeflow.manifests import STDOUT, ManifestError, Step, Workflow
from aioruns.local.kubeflow.placeholders import RESULT, outputs_in, substitute
from aioruns.local.records import Json

_SOURCE = "/dev/stdin"
"""Where the command of a script finds it."""

_UNSUPPORTED = ("depends", "when", "withItems", "withParam", "withSequence")


class UndeclaredParameter(ValueError):
    """A parameter was sent that the manifest does not declare."""


def fill(
    manifest: Mapping[str, Json],
    parameters: Mapping[str, str],
    run_id: str,
    *,
    undeclared: bool = False,
) -> Workflow:
    """Choose a workflow name, and put name and parameters into the commands.

    Args:
        manifest: What `read` returned.
        parameters: Values that replace those of the manifest.
        run_id: Becomes `{{workflow.uid}}`.
        undeclared: Accept parameters that the manifest does not declare.

    Raises:
        ManifestError: The manifest needs something that is not run here.
        UndeclaredParameter: A parameter is not one of the manifest's.
    """
    try:
        return _fill(manifest, parameters, run_id, undeclared=undeclared)
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(
            f"The workflow is not shaped as Argo wants it ({error!r})."
        ) from None


def _fill(
    manifest: Mapping[str, Json],
    parameters: Mapping[str, str],
    run_id: str,
    *,
    undeclared: bool,
) -> Workflow:
    metadata, spec = manifest.get("metadata") or {}, manifest["spec"]
    generated = f"{metadata.get('generateName') or 'workflow-'}{secrets.token_hex(3)}"
    name = metadata.get("name") or generated
    declared = {
        parameter["name"]: parameter.get("value")
        for parameter in (spec.get("arguments") or {}).get("parameters") or []
    }
    unknown = [key for key in parameters if key not in declared]
    if unknown and not undeclared:
        raise UndeclaredParameter(
            f"Parameter {unknown[0]!r} is not declared by the workflow; it declares "
            f"{', '.join(sorted(declared)) or 'none'}."
        )
    scope = {"workflow.name": name, "workflow.uid": run_id}
    for key, value in {**declared, **parameters}.items():
        if value is None:
            raise ManifestError(f"Workflow parameter {key!r} has no value.")
        scope[f"workflow.parameters.{key}"] = _text(value)
    templates = {template["name"]: template for template in spec.get("templates") or []}
    entrypoint = spec.get("entrypoint")
    entry = _template(templates, entrypoint)
    kind, steps = _steps(templates, entry, scope)
    _check_order(steps)
    _check_outputs(steps)
    return Workflow(name, entrypoint, kind, tuple(steps))


def _steps(
    templates: Mapping[str, Json], entry: Mapping[str, Json], scope: Mapping[str, str]
) -> tuple[str, list[Step]]:
    if "dag" in entry:
        scope = {**scope, **_inputs(entry, {})}
        tasks = entry["dag"]["tasks"]
        return "DAG", [_called(templates, task, scope) for task in tasks]
    if "steps" not in entry:
        return "Pod", [_step("main", entry, scope, {})]
    scope = {**scope, **_inputs(entry, {})}
    steps: list[Step] = []
    before: tuple[str, ...] = ()
    for place, group in enumerate(entry["steps"]):
        made = [
            evolve(_called(templates, step, scope), after=before, group=place)
            for step in group
        ]
        before = tuple(step.task for step in made) or before
        steps += made
    return "Steps", steps


def _template(templates: Mapping[str, Json], name: Json) -> dict[str, Json]:
    if name not in templates:
        raise ManifestError(f"The workflow has no template named {name!r}.")
    template: dict[str, Json] = templates[name]
    return template


def _called(
    templates: Mapping[str, Json], task: Mapping[str, Json], scope: Mapping[str, str]
) -> Step:
    """A task of a dag, or a step: a template with arguments."""
    for key in _UNSUPPORTED:
        if key in task:
            raise ManifestError(
                f"Task {task['name']!r} uses {key!r}, which is not run here."
            )
    arguments = {
        parameter["name"]: substitute(_text(parameter["value"]), scope)
        for parameter in (task.get("arguments") or {}).get("parameters") or []
    }
    step = _step(task["name"], _template(templates, task["template"]), scope, arguments)
    return evolve(step, after=tuple(task.get("dependencies") or ()))


def _check_outputs(steps: list[Step]) -> None:
    """Refuse what waits for outputs of tasks that need not have run before it."""
    by_task = {step.task: step for step in steps}
    for step in steps:
        earlier, waiting = set[str](), list(step.after)
        while waiting:
            task = waiting.pop()
            if task not in earlier:
                earlier.add(task)
                waiting += by_task[task].after
        for text in step.texts:
            for task, name in outputs_in(text):
                known = task in earlier and name in {*by_task[task].outputs, RESULT}
                if not known:
                    raise ManifestError(
                        f"Task {step.task!r} takes the output {name!r} of {task!r}, "
                        "which is not declared by a task that comes before it."
                    )


def _check_order(steps: list[Step]) -> None:
    """Refuse unknown dependencies and circles: neither would ever start."""
    waiting = {step.task: set(step.after) for step in steps}
    if len(waiting) < len(steps):
        raise ManifestError("Two tasks of the dag have the same name.")
    while waiting:
        ready = [task for task, after in waiting.items() if not after & set(waiting)]
        names = {step.task for step in steps}
        missing = set().union(*waiting.values()) - names
        if missing or not ready:
            raise ManifestError(
                f"The dependencies of the tasks {', '.join(sorted(waiting))} "
                "form a circle or name a task that does not exist."
            )
        for task in ready:
            del waiting[task]


def _step(
    task: str,
    template: Mapping[str, Json],
    scope: Mapping[str, str],
    arguments: Mapping[str, str],
) -> Step:
    script = template.get("script")
    container = template.get("container") or script
    if not container or not container.get("command"):
        raise ManifestError(
            f"Template {template['name']!r} is neither a container nor a script with a "
            "command; only those, and a dag or steps of those, are run here."
        )
    inputs = _inputs(template, arguments)
    declared = template.get("outputs") or {}
    outputs = {
        entry["name"]: entry["valueFrom"]["path"]
        for entry in declared.get("parameters") or []
    }
    artifacts = {
        entry["name"]: entry["path"] for entry in declared.get("artifacts") or []
    }
    local = {key: value for key, value in scope.items() if key.startswith("workflow.")}
    local |= inputs
    local |= {f"outputs.parameters.{key}.path": path for key, path in outputs.items()}
    local |= {f"outputs.artifacts.{key}.path": path for key, path in artifacts.items()}
    words = [*container["command"], *(container.get("args") or [])]
    if script:
        words.append(_SOURCE)
    return Step(
        task=task,
        template=template["name"],
        argv=tuple(substitute(_text(word), local) for word in words),
        source=substitute(_text(script["source"]), local) if script else "",
        env={
            entry["name"]: substitute(_text(entry.get("value", "")), local)
            for entry in container.get("env") or []
        },
        inputs={
            key.removeprefix("inputs.parameters."): value
            for key, value in inputs.items()
        },
        outputs=_relative(outputs, STDOUT),
        artifacts=_relative(artifacts),
    )


def _inputs(
    template: Mapping[str, Json], arguments: Mapping[str, str]
) -> dict[str, str]:
    values = {}
    for parameter in (template.get("inputs") or {}).get("parameters") or []:
        name = parameter["name"]
        value = arguments.get(name, parameter.get("value"))
        if value is None:
            raise ManifestError(
                f"Input {name!r} of template {template['name']!r} has no value."
            )
        values[f"inputs.parameters.{name}"] = _text(value)
    return values


def _relative(paths: Mapping[str, str], *also: str) -> dict[str, str]:
    """The paths that lie in the task's working directory; others are not kept."""
    return {
        name: path
        for name, path in paths.items()
        if path in also or not {"/", ".."}.intersection(PurePosixPath(path).parts)
    }


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else orjson.dumps(value).decode()

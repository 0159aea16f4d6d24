"""Putting names and parameters into the templates of a manifest."""

import re
import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath

import orjson
from attrs import evolve

from aioruns.local.kubeflow.manifests import STDOUT, ManifestError, Step, Workflow
from aioruns.local.records import Json

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")


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
    if "dag" not in entry:
        step = _step("main", entry, scope, {})
        return Workflow(name, entrypoint, is_dag=False, steps=(step,))
    scope |= _inputs(entry, {})
    steps = [_dag_step(templates, task, scope) for task in entry["dag"]["tasks"]]
    _check_order(steps)
    return Workflow(name, entrypoint, is_dag=True, steps=tuple(steps))


def _template(templates: Mapping[str, Json], name: Json) -> dict[str, Json]:
    if name not in templates:
        raise ManifestError(f"The workflow has no template named {name!r}.")
    template: dict[str, Json] = templates[name]
    return template


def _dag_step(
    templates: Mapping[str, Json], task: Mapping[str, Json], scope: Mapping[str, str]
) -> Step:
    unsupported = {"depends", "when", "withItems", "withParam", "withSequence"}
    for key in unsupported.intersection(task):
        raise ManifestError(
            f"Task {task['name']!r} uses {key!r}, which is not run here."
        )
    arguments = {
        parameter["name"]: _substitute(_text(parameter["value"]), scope)
        for parameter in (task.get("arguments") or {}).get("parameters") or []
    }
    step = _step(task["name"], _template(templates, task["template"]), scope, arguments)
    return evolve(step, after=tuple(task.get("dependencies") or ()))


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
    container = template.get("container")
    if not container or not container.get("command"):
        raise ManifestError(
            f"Template {template['name']!r} is not a container with a command; "
            "only those, and a dag of those, are run here."
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
    return Step(
        task=task,
        template=template["name"],
        argv=tuple(_substitute(_text(word), local) for word in words),
        env={
            entry["name"]: _substitute(_text(entry.get("value", "")), local)
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


def _substitute(text: str, scope: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found.group(1) not in scope:
            raise ManifestError(
                f"{found.group()} cannot be resolved here; workflow parameters, input "
                "parameters and workflow.name can."
            )
        return scope[found.group(1)]

    return _PLACEHOLDER.sub(value, text)

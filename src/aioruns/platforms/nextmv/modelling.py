"""Models that are pushed as they are in memory (wire/nextmv.md 6.4)."""

import re
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import anyio.to_thread
from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.bundling import matches
from aioruns.platforms.nextmv.downloads import temporary_directory
from aioruns.platforms.nextmv.manifest import Manifest

_REQUIREMENTS = "model_requirements.txt"
_MLFLOW = "mlflow>=2.18.0"
_TYPES = {str: "string", bool: "bool", int: "int", float: "float"}

_MAIN = '''\
"""Run the model that is packed beside this file."""

import nextmv
from mlflow.pyfunc import load_model

try:
    from nextmv import Manifest
except ImportError:
    from nextmv.cloud import Manifest

options = Manifest.from_yaml(".").extract_options()
load = getattr(nextmv, "load", None) or nextmv.load_local
write = getattr(nextmv, "write", None) or nextmv.write_local
write(load_model({name!r}).predict(load(options=options)))
'''


@runtime_checkable
class Model(Protocol):
    """A model that makes decisions, for example an instance of `nextmv.Model`."""

    def solve(self, input: Any) -> Any:
        """Make an output of an input."""
        ...


@runtime_checkable
class Configured(Protocol):
    """What a configuration of a model has, for example `nextmv.ModelConfiguration`."""

    name: str
    requirements: Sequence[str] | None
    options: Any


@frozen
class ModelConfiguration:
    """How a model is packed.

    Attributes:
        name: The model's name, and the directory that it is packed into.
        requirements: Python packages that it needs, `nextmv` among them.
        options: A `nextmv.Options`, or the options as mappings with `name`,
            `option_type`, `default`, `description` and `required`.
        options_enforcement: A mapping with `strict` and `validation`.
    """

    name: str
    requirements: Sequence[str] | None = None
    options: Any = None
    options_enforcement: Any = field(default=None)


def checked(model: object, configuration: object) -> tuple[Model, Configured]:
    """A model and its configuration, if they are two, and what they should be.

    Raises:
        InvalidInput: One was given without the other, or the name is no plain name.
        TypeError: One of them is something else.
    """
    if model is None or configuration is None:
        raise InvalidInput("give push both model and model_configuration, or neither")
    if not isinstance(model, Model):
        raise TypeError(
            f"the model must have a method solve, and {type(model).__name__} has none"
        )
    if not isinstance(configuration, Configured):
        raise TypeError(
            "model_configuration must be a ModelConfiguration, not "
            f"{type(configuration).__name__}"
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", configuration.name):
        raise InvalidInput(
            f"the model's name {configuration.name!r} must be letters, digits, - and _"
        )
    return model, configuration


@asynccontextmanager
async def prepared(
    model: Model, configuration: Configured, manifest: Manifest, directory: Path
) -> AsyncIterator[tuple[Path, Manifest]]:
    """A temporary directory with the packed model, and the manifest that fits it.

    The application's own directory is only read.

    Args:
        model: What to pack.
        configuration: How.
        manifest: What else to pack.
        directory: Where that is.

    Yields:
        The directory and the manifest to push; both are gone at the end.

    Raises:
        InvalidInput: mlflow is missing, or cannot pack the model.
    """
    async with temporary_directory() as place:
        await anyio.to_thread.run_sync(_copy, manifest, directory, place)
        await anyio.to_thread.run_sync(_save, model, configuration, place)
        yield place, _completed(manifest, configuration)


def _copy(manifest: Manifest, directory: Path, place: Path) -> None:
    for pattern in manifest.files:
        if pattern.startswith("!"):
            continue
        for file in matches(directory, pattern):
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(directory / file, place / file)


def _save(model: Model, configuration: Configured, place: Path) -> None:
    try:
        pyfunc = import_module("mlflow.pyfunc")
    except ImportError as error:
        raise InvalidInput(
            f"a model is packed with mlflow, which is missing: install {_MLFLOW!r}, or "
            "push a directory"
        ) from error
    shutil.rmtree(place / configuration.name, ignore_errors=True)
    try:
        pyfunc.save_model(
            path=str(place / configuration.name),
            python_model=_as_mlflow(model, pyfunc.PythonModel),
            infer_code_paths=True,
        )
    except Exception as error:
        raise InvalidInput(
            f"mlflow cannot pack the model {configuration.name!r}: {error}"
        ) from error
    needed = [_MLFLOW, *(configuration.requirements or ())]
    (place / _REQUIREMENTS).write_text("\n".join(needed) + "\n", encoding="utf-8")
    text = _MAIN.format(name=configuration.name)
    (place / "main.py").write_text(text, encoding="utf-8")


def _as_mlflow(model: Model, base: type) -> object:
    """The model in the form that mlflow saves.

    The class is made here so that it is pickled whole: where it is loaded there is no
    module of ours.
    """

    def predict(_: object, __: object, model_input: Any, params: Any = None) -> Any:
        del params
        return model.solve(model_input)

    made: Callable[[], object] = type("PackedModel", (base,), {"predict": predict})
    return made()


def _completed(manifest: Manifest, configuration: Configured) -> Manifest:
    """The manifest with what a model needs in it."""
    name, items = configuration.name, _items(configuration.options)
    added = [one for one in ("main.py", f"{name}/**") if one not in manifest.files]
    content = dict(manifest.content)
    content["files"] = [*manifest.files, *added]
    content["python"] = {
        **manifest.section("python"),
        "pip-requirements": _REQUIREMENTS,
        "model": {"name": name, "options": items},
    }
    settings = dict(manifest.section("configuration"))
    if items and not settings.get("options"):
        enforced = _enforced(getattr(configuration, "options_enforcement", None))
        settings["options"] = {**enforced, "items": items}
    if settings:
        content["configuration"] = settings
    return Manifest.from_dict(content, manifest.where + " with the model")


def _items(options: Any) -> list[dict[str, Any]]:
    """Options as a manifest lists them."""
    listed = getattr(options, "options", options) or []
    return [
        dict(option)
        if isinstance(option, Mapping)
        else {
            "name": option.name,
            "option_type": _TYPES.get(option.option_type, str(option.option_type)),
            "default": option.default,
            "description": option.description or "",
            "required": bool(option.required),
        }
        for option in listed
    ]


def _enforced(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    return {
        "strict": bool(getattr(given, "strict", False)),
        "validation": {
            "enforce": "all" if getattr(given, "validation_enforce", False) else "none"
        },
    }

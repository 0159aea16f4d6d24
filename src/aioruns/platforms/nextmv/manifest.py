"""The manifest of an application: `app.yaml` (wire/nextmv.md 6.3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, decode, encode
from aioruns.platforms.nextmv.things import given

FILE = "app.yaml"
_DEFAULT_RUNTIME = "ghcr.io/nextmv-io/runtime/python:3.11"
_ENTRYPOINTS = {"python": "main.py", "go": "main", "binary": "main", "java": "main.jar"}

# wire/nextmv.md 6.3, the defaults
_OUTPUT_PATHS = {
    "solutions": "outputs/solutions/",
    "metrics": "outputs/metrics.json",
    "assets": "outputs/assets.json",
}
_OPTION_DEFAULTS = {"description": "", "required": False, "local_only": False}
_OPTION_ALIASES = {"type": "option_type"}

Section = Mapping[str, Any] | None


@frozen(init=False)
class Manifest:
    """What an `app.yaml` says.

    Args:
        files: Patterns of the files to push.
        runtime: The image that runs it.
        type: `python`, `go`, `java` or `binary`.
        python: `pip-requirements`, `arch` and `version`.
        build: `command` and `environment`.
        pre_push: A command for the shell.
        execution: `entrypoint` and `cwd`.
        configuration: `content` and `options`.

    Attributes:
        content: The whole manifest, by the keys of `app.yaml`.
        where: Where it comes from, for messages.

    Raises:
        InvalidInput: The type is another one.

    Example:
        ```python
        manifest = Manifest(files=["main.py"], python={"pip-requirements": ["numpy"]})
        await app.push(manifest, app_dir="model")
        ```
    """

    content: Mapping[str, Any] = field(repr=False)
    where: str = field(eq=False)

    def __init__(
        self,
        files: Sequence[str],
        runtime: str = _DEFAULT_RUNTIME,
        type: str = "python",
        python: Section = None,
        build: Section = None,
        pre_push: str | None = None,
        execution: Section = None,
        configuration: Section = None,
    ) -> None:
        content = given(
            type=type,
            runtime=runtime,
            files=list(files),
            python=python,
            build=build,
            execution=execution,
            configuration=configuration,
            **{"pre-push": pre_push},
        )
        # Enumerations and the like become what an `app.yaml` can hold.
        plain = decode(encode(content), Json)
        self.__attrs_init__(plain, "the manifest")

    def __attrs_post_init__(self) -> None:
        if self.type not in _ENTRYPOINTS:
            raise InvalidInput(
                f"{self.where} has type {self.type!r}; it must be one of "
                f"{', '.join(_ENTRYPOINTS)}"
            )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "the manifest") -> Self:
        """Take a manifest by the keys of `app.yaml`."""
        made = cls.__new__(cls)
        made.__attrs_init__(content, where)
        return made

    @classmethod
    def from_yaml(cls, dirpath: str | Path = ".") -> Self:
        """Read the `app.yaml` of a directory; a small file, so at once.

        Raises:
            InvalidInput: It is missing, no YAML mapping, or of an unknown type.
        """
        file = Path(dirpath) / FILE
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(
                f"{file} cannot be read ({error.strerror}): push a directory that has "
                "one"
            ) from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidInput(f"{file} is not YAML: {error}") from error
        if not isinstance(content, Mapping):
            raise InvalidInput(f"{file} must hold a mapping of keys")
        return cls.from_dict(content, str(file))

    def to_yaml(self) -> str:
        """The text of an `app.yaml`."""
        return yaml.safe_dump(dict(self.content), sort_keys=False)

    @property
    def type(self) -> str:
        """`python`, `go`, `java` or `binary`."""
        return str(self.content.get("type", "python"))

    @property
    def runtime(self) -> str:
        """The image that runs it."""
        return str(self.content.get("runtime", _DEFAULT_RUNTIME))

    @property
    def files(self) -> list[str]:
        """The patterns of the files to push.

        Raises:
            InvalidInput: There are none.
        """
        patterns = self.content.get("files")
        if not isinstance(patterns, list) or not patterns:
            raise InvalidInput(f"{self.where} lists no files to push")
        return [str(pattern) for pattern in patterns]

    @property
    def entrypoint(self) -> str:
        """The file that a run starts."""
        named = self.section("execution").get("entrypoint")
        return str(named) if named else _ENTRYPOINTS[self.type]

    def section(self, *names: str) -> Mapping[str, Any]:
        """A nested mapping; empty where the manifest has none."""
        value: Any = self.content
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    def requirements(self) -> dict[str, object]:
        """What the platform is told at activation (wire/nextmv.md 6.1)."""
        content = self.section("configuration", "content")
        io: dict[str, object] = {"format": content.get("format", "json")}
        if io["format"] == "multi-file":
            io["multi_file"] = self._multi_file()
        made: dict[str, object] = {
            "executable_type": self.type,
            "runtime": self.runtime,
            "io_configuration": io,
        }
        if options := self.section("configuration", "options"):
            made["options"] = self._activated_options(options)
        execution = self.section("execution")
        if execution.get("entrypoint"):
            made["entrypoint"] = execution["entrypoint"]
        if execution.get("cwd"):
            made["working_directory"] = execution["cwd"]
        return made

    def _multi_file(self) -> dict[str, object]:
        at = ("configuration", "content", "multi-file")
        paths = {**_OUTPUT_PATHS, **self.section(*at, "output")}
        return {
            "input_path": self.section(*at, "input").get("path", "inputs/"),
            "output_configuration": {
                f"{name}_path": value for name, value in paths.items() if value
            },
        }

    def _activated_options(self, options: Mapping[str, Any]) -> dict[str, object]:
        """Options without those for local runs only (wire/nextmv.md 6.1)."""
        listed = options.get("items") or []
        if not isinstance(listed, list) or not all(
            isinstance(item, Mapping) for item in listed
        ):
            raise InvalidInput(
                f"{self.where} must list its options as mappings under "
                "configuration.options.items"
            )
        items = [
            {
                **_OPTION_DEFAULTS,
                **{_OPTION_ALIASES.get(name, name): item[name] for name in item},
            }
            for item in listed
            if not item.get("local_only")
        ]
        made: dict[str, object] = {
            "strict": bool(options.get("strict")),
            "validation": options.get("validation") or {"enforce": "none"},
            "items": items,
        }
        if options.get("format"):
            made["format"] = {"template": options["format"]}
        return made


def default_python_manifest() -> Manifest:
    """The manifest of a Python program that is one `main.py` with requirements."""
    return Manifest(["main.py"], python={"pip-requirements": "requirements.txt"})

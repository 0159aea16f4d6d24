"""The manifest of an application: `app.yaml` (wire/nextmv.md 6.3)."""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import field, frozen

from aioruns.errors import InvalidInput

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


@frozen
class Manifest:
    """What an `app.yaml` says.

    Attributes:
        directory: Where it was read.
        content: The whole manifest.
    """

    directory: Path
    content: Mapping[str, Any] = field(repr=False)

    @property
    def type(self) -> str:
        """`python`, `go`, `java` or `binary`."""
        return str(self.content.get("type", "python"))

    def section(self, *names: str) -> Mapping[str, Any]:
        """A nested mapping; empty where the manifest has none."""
        value: Any = self.content
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    def files(self) -> list[Path]:
        """The files to pack, relative to the directory, in order.

        Patterns are globs, a trailing slash means the files right below, and `!` takes
        earlier matches away (wire/nextmv.md 6.2).

        Raises:
            InvalidInput: A pattern matches nothing or leaves the directory, or the
                entry point is not among the files.
        """
        patterns = self.content.get("files")
        if not isinstance(patterns, list) or not patterns:
            raise InvalidInput(f"{self.directory}/app.yaml lists no files to push")
        chosen: dict[Path, None] = {}
        for pattern in map(str, patterns):
            if pattern.startswith("!"):
                for path in self._matches(pattern[1:]):
                    chosen.pop(path, None)
                continue
            matches = self._matches(pattern)
            if not matches:
                raise InvalidInput(
                    f"no file in {self.directory} matches {pattern!r} of app.yaml"
                )
            chosen |= dict.fromkeys(matches)
        entry = Path(self.entrypoint)
        if entry not in chosen:
            raise InvalidInput(
                f"the entry point {entry} is not among the files of "
                f"{self.directory}/app.yaml: add it to `files`"
            )
        return list(chosen)

    @property
    def entrypoint(self) -> str:
        """The file that a run starts."""
        given = self.section("execution").get("entrypoint")
        return str(given) if given else _ENTRYPOINTS[self.type]

    def requirements(self) -> dict[str, object]:
        """What the platform is told at activation (wire/nextmv.md 6.1)."""
        content = self.section("configuration", "content")
        io: dict[str, object] = {"format": content.get("format", "json")}
        if io["format"] == "multi-file":
            io["multi_file"] = self._multi_file()
        made: dict[str, object] = {
            "executable_type": self.type,
            "runtime": self.content.get("runtime", _DEFAULT_RUNTIME),
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
                f"{self.directory}/app.yaml must list its options as mappings under "
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

    def _matches(self, pattern: str) -> list[Path]:
        if pattern.endswith("/"):
            pattern += "*"
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise InvalidInput(
                f"the pattern {pattern!r} of app.yaml leaves its directory"
            )
        names = glob.glob(  # noqa: PTH207 - Path.glob skips nothing that ** should
            pattern, root_dir=self.directory, recursive=True, include_hidden=True
        )
        return sorted(Path(name) for name in names if (self.directory / name).is_file())


def read_manifest(directory: Path) -> Manifest:
    """Read `app.yaml`.

    Raises:
        InvalidInput: It is missing, no YAML mapping, or of an unknown type.
    """
    file = directory / "app.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({error.strerror}): push a directory that has one"
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{file} is not YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise InvalidInput(f"{file} must hold a mapping of keys")
    manifest = Manifest(directory, content)
    if manifest.type not in _ENTRYPOINTS:
        raise InvalidInput(
            f"{file} has type {manifest.type!r}; it must be one of "
            f"{', '.join(_ENTRYPOINTS)}"
        )
    return manifest

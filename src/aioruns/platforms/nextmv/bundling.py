"""The archive of a push: the application's files and its packages."""

import glob
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import anyio.from_thread

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.manifest import FILE, Manifest

_PACKAGES = Path(".nextmv/python/deps")
"""Where the platform looks for packages (wire/nextmv.md 6.2)."""


def chosen_files(manifest: Manifest, directory: Path) -> list[Path]:
    """The files to pack, relative to the directory, in order.

    Patterns are globs, a trailing slash means the files right below, and `!` takes
    earlier matches away (wire/nextmv.md 6.2).

    Raises:
        InvalidInput: A pattern matches nothing or leaves the directory, or the entry
            point is not among the files.
    """
    chosen: dict[Path, None] = {}
    for pattern in manifest.files:
        if pattern.startswith("!"):
            for path in matches(directory, pattern[1:]):
                chosen.pop(path, None)
            continue
        found = matches(directory, pattern)
        if not found:
            raise InvalidInput(
                f"no file in {directory} matches {pattern!r} of {manifest.where}"
            )
        chosen |= dict.fromkeys(found)
    entry = Path(manifest.entrypoint)
    if entry not in chosen:
        raise InvalidInput(
            f"the entry point {entry} is not among the files of {manifest.where}: add "
            "it to `files`"
        )
    return list(chosen)


def matches(directory: Path, pattern: str) -> list[Path]:
    """The files that a pattern means, relative to the directory.

    Raises:
        InvalidInput: The pattern leaves the directory.
    """
    if pattern.endswith("/"):
        pattern += "*"
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise InvalidInput(f"the pattern {pattern!r} of {FILE} leaves its directory")
    names = glob.glob(  # noqa: PTH207 - Path.glob skips nothing that ** should
        pattern, root_dir=directory, recursive=True, include_hidden=True
    )
    return sorted(Path(name) for name in names if (directory / name).is_file())


def bundle(
    manifest: Manifest, directory: Path, packages: Path | None, place: Path
) -> int:
    """Write the archive to a file, and return its bytes (wire/nextmv.md 6.2).

    Args:
        manifest: Packed as the `app.yaml` that it was read from, or else as it is.
        directory: Where the files are.
        packages: Where Python packages were installed to.
        place: The file to write.

    Raises:
        InvalidInput: A file is missing, or cannot be read.
    """
    files = chosen_files(manifest, directory)
    try:
        with tarfile.open(place, "w:gz", compresslevel=6) as archive:
            for file, name in _installed(packages):
                _add(archive, file, name)
            for file in files:
                replaced = packages is not None and file.is_relative_to(_PACKAGES)
                if file != Path(FILE) and not replaced:
                    _add(archive, directory / file, file)
            _add_manifest(archive, manifest, directory / FILE)
    except OSError as error:
        raise InvalidInput(f"{directory} cannot be packed: {error}") from error
    return place.stat().st_size


def _installed(packages: Path | None) -> Iterator[tuple[Path, Path]]:
    """The files of the packages, and their names in the archive."""
    if packages is None:
        return
    for parent, _, names in os.walk(packages):
        for name in sorted(names):
            file = Path(parent, name)
            yield file, _PACKAGES / file.relative_to(packages)


def _add(archive: tarfile.TarFile, file: Path, name: Path) -> None:
    # Ends the thread's work when the push is cancelled.
    anyio.from_thread.check_cancelled()
    archive.add(file, name.as_posix(), recursive=False)


def _add_manifest(archive: tarfile.TarFile, manifest: Manifest, file: Path) -> None:
    if manifest.where == str(file):
        archive.add(file, FILE)
        return
    text = manifest.to_yaml().encode()
    member = tarfile.TarInfo(FILE)
    member.size, member.mode = len(text), 0o644
    archive.addfile(member, io.BytesIO(text))

"""The working directory of one run: its files come in, its outputs go out."""

import shutil
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from aioruns.local.records import Command

if TYPE_CHECKING or sys.version_info >= (3, 12):
    import tarfile
else:  # early releases of 3.11, Debian's among them, unpack without the data filter
    from backports import tarfile

_SHARED = ".nextmv"
"""Dependencies are only read, so that all runs share them."""


@frozen
class Workplace:
    """A directory with a copy of the program, which only one run sees.

    All methods block; see `aioruns.local.records.Place`.
    """

    top: Path
    """Made by `enter`, removed by `leave`."""
    source: Path | None = None
    """What is copied into it."""
    below: Path = Path()
    """The program's working directory in it."""
    archive: tuple[Path, str] | None = None
    """A tar.gz, and the directory that it is unpacked into."""
    secrets: Mapping[str, str] = field(factory=dict, repr=False)
    """Contents of files by their paths."""
    solutions: tuple[str, Path] | None = None
    """A directory, and the tar.gz that it is packed into."""
    side_files: Mapping[str, Path] = field(factory=dict)
    """Where to keep what the program wrote to a path."""

    @property
    def directory(self) -> Path:
        """The working directory of the program."""
        return self.top / self.below

    def moved(self, program: Command) -> Command:
        """The program, started from its copy."""
        argv = program.argv
        if self.source is not None:
            before, after = str(self.source.resolve()), str(self.top)
            argv = tuple(
                after + text.removeprefix(before)
                if text == before or text.startswith(f"{before}/")
                else text
                for text in argv
            )
        return evolve(program, argv=argv, cwd=self.directory)

    def enter(self) -> None:
        """Copy the program, unpack the input, write the secrets."""
        if self.source is None:
            self.top.mkdir(parents=True)
        else:
            left_out = shutil.ignore_patterns(_SHARED)
            shutil.copytree(self.source, self.top, symlinks=True, ignore=left_out)
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.archive is not None:
            self._unpack(*self.archive)
        for name, value in self.secrets.items():
            path = self._inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(value, encoding="utf-8")
        if self.solutions is not None:
            self._inside(self.solutions[0]).mkdir(parents=True, exist_ok=True)

    def leave(self) -> None:
        """Keep what the program left, and remove the directory."""
        try:
            if self.solutions is not None:
                self._pack(*self.solutions)
            for name, target in self.side_files.items():
                path = self._inside(name)
                if path.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
        finally:
            shutil.rmtree(self.top, ignore_errors=True)

    def _inside(self, name: str) -> Path:
        root = self.directory.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise ValueError(f"The path '{name}' leads out of the working directory.")
        return path

    def _unpack(self, archive: Path, directory: str) -> None:
        target = self._inside(directory)
        target.mkdir(parents=True, exist_ok=True)
        try:
            with tarfile.open(archive, "r:gz") as packed:
                packed.extractall(target, filter="data")
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"The input cannot be unpacked, and must be a tar.gz: {error}"
            ) from error

    def _pack(self, directory: str, target: Path) -> None:
        source = self._inside(directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Solutions may be large, and are mostly read on the same machine.
        with tarfile.open(target, "w:gz", compresslevel=1) as packed:
            children = sorted(source.iterdir()) if source.is_dir() else []
            for child in children:
                packed.add(child, arcname=child.name, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isreg() or member.isdir()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member

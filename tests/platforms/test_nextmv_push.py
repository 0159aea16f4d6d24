"""Pushing an application: manifest, files, commands, and the way to a server."""

import io
import json
import tarfile
from pathlib import Path

import aiohttp
import anyio
import pytest

from aioruns import Nextmv, Session
from aioruns.errors import InvalidInput, NotFound
from aioruns.platforms.nextmv import Application
from aioruns.platforms.nextmv.bundling import chosen_files
from aioruns.platforms.nextmv.manifest import Manifest

TSP = Path(__file__).parents[2] / "examples" / "tsp"


def tree(root, *names, manifest=None, **contents):
    """Write files, each with its own name as its content, and an `app.yaml`."""
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(contents.get(name, name), encoding="utf-8")
    if manifest is not None:
        (root / "app.yaml").write_text(manifest, encoding="utf-8")
    return root


def chosen(root, *patterns, entrypoint=None):
    listed = "".join(f"  - '{pattern}'\n" for pattern in patterns)
    execution = f"execution: {{entrypoint: {entrypoint}}}\n" if entrypoint else ""
    tree(root, manifest=f"files:\n{listed}{execution}")
    return [path.as_posix() for path in chosen_files(Manifest.from_yaml(root), root)]


# -- files (wire/nextmv.md 6.2) ----------------------------------------------------

FILES = (
    "main.py",
    "readme.md",
    ".env",
    "model/a.py",
    "model/b.py",
    "model/data/c.json",
    "model/data/deep/d.json",
)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["main.py"], ["main.py"]),
        (["./main.py"], ["main.py"]),
        (["*.py"], ["main.py"]),
        (["*"], [".env", "app.yaml", "main.py", "readme.md"]),
        (["main.py", "**/*.json"], ["main.py", *FILES[5:]]),
        (["main.py", "model/**"], ["main.py", *FILES[3:]]),
        (["main.py", "model/*"], ["main.py", "model/a.py", "model/b.py"]),
        # A trailing slash is one level only.
        (["main.py", "model/"], ["main.py", "model/a.py", "model/b.py"]),
        (["main.py", "model/data/"], ["main.py", "model/data/c.json"]),
        (["main.py", "model/?.py"], ["main.py", "model/a.py", "model/b.py"]),
        # What was matched before is removed, what comes later is not.
        (["**/*.py", "!model/a.py"], ["main.py", "model/b.py"]),
        (["main.py", "model/**", "!model/data/**"], ["main.py", *FILES[3:5]]),
        (["main.py", "model/**", "!model/"], ["main.py", *FILES[5:]]),
        (["!model/a.py", "main.py", "model/a.py"], ["main.py", "model/a.py"]),
        (["main.py", "!nothing/*"], ["main.py"]),
        # Twice is once.
        (["main.py", "*.py", "main.py"], ["main.py"]),
    ],
)
def test_which_files_are_packed(tmp_path, patterns, expected):
    assert chosen(tree(tmp_path, *FILES), *patterns) == expected


@pytest.mark.parametrize(
    "pattern", ["missing.py", "*.go", "empty", "empty/", "model", "[m]ain.go"]
)
def test_a_pattern_without_a_file_is_named(tmp_path, pattern):
    tree(tmp_path, *FILES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput) as caught:
        chosen(tmp_path, "main.py", pattern)
    assert f"matches {pattern!r}" in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    ["../secret.txt", "model/../../secret.txt", "/etc/passwd", "!../x", "../"],
)
def test_a_pattern_that_leaves_the_directory_is_refused(tmp_path, pattern):
    root = tmp_path / "app"
    tree(tmp_path, "secret.txt")
    tree(root, "main.py", "model/a.py")
    with pytest.raises(InvalidInput, match="leaves its directory"):
        chosen(root, "main.py", pattern)


def test_the_entry_point_must_be_among_the_files(tmp_path):
    tree(tmp_path, *FILES)
    with pytest.raises(InvalidInput, match=r"entry point main\.py is not among"):
        chosen(tmp_path, "model/**")
    with pytest.raises(InvalidInput, match=r"entry point model/a\.py is not among"):
        chosen(tmp_path, "main.py", entrypoint="model/a.py")
    assert chosen(tmp_path, "model/a.py", entrypoint="./model/a.py") == ["model/a.py"]


@pytest.mark.parametrize(
    ("kind", "entrypoint"),
    [("python", "main.py"), ("go", "main"), ("binary", "main"), ("java", "main.jar")],
)
def test_every_type_has_its_entry_point(tmp_path, kind, entrypoint):
    tree(tmp_path, entrypoint, manifest=f"type: {kind}\nfiles: [{entrypoint}]\n")
    manifest = Manifest.from_yaml(tmp_path)
    assert manifest.entrypoint == entrypoint
    assert chosen_files(manifest, tmp_path) == [Path(entrypoint)]


@pytest.mark.parametrize("files", ["", "files:\n", "files: []\n", "files: main.py\n"])
def test_a_manifest_that_lists_no_files_is_named(tmp_path, files):
    tree(tmp_path, "main.py", manifest=f"type: python\n{files}")
    with pytest.raises(InvalidInput, match="lists no files"):
        assert Manifest.from_yaml(tmp_path).files


# -- the manifest ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read.*push a directory that has one"),
        (b"files: [main.py\n", "is not YAML"),
        (b"files: \xff\xfe\n", "is not YAML"),
        (b"- main.py\n", "must hold a mapping"),
        (b"", "must hold a mapping"),
        (b"type: fortran\n", "'fortran'; it must be one of python, go"),
        (b"files: [main.py]\nconfiguration: {options: {items: [x]}}\n", "options"),
        (b"files: [main.py]\nconfiguration: {options: {items: x}}\n", "options"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(tmp_path, content, said):
    if content is not None:
        (tmp_path / "app.yaml").write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"(?s)app\.yaml.*{said}"):
        Manifest.from_yaml(tmp_path).requirements()


def requirements(root, manifest):
    return Manifest.from_yaml(tree(root, manifest=manifest)).requirements()


def test_what_a_silent_manifest_activates(tmp_path):
    assert requirements(tmp_path, "files: [main.py]\n") == {
        "executable_type": "python",
        "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
        "io_configuration": {"format": "json"},
    }


def test_what_a_full_manifest_activates(tmp_path):
    # wire/nextmv.md 6.1; the version and the packages stay in the packed app.yaml.
    manifest = """\
type: binary
runtime: ghcr.io/nextmv-io/runtime/default:latest
files: [main]
python: {version: 3.12, arch: amd64}
execution: {entrypoint: bin/solve, cwd: bin}
configuration:
  content: {format: text}
  options:
    strict: true
    validation: {enforce: all}
    format: ["-{{name}}", "{{value}}"]
    items:
      - {name: seed, type: int, default: 0, description: Start, required: true}
      - name: method
        option_type: string
        additional_attributes: {values: [a, b]}
        ui: {control_type: select}
      - {name: debug, option_type: bool, local_only: true}
"""
    assert requirements(tmp_path, manifest) == {
        "executable_type": "binary",
        "runtime": "ghcr.io/nextmv-io/runtime/default:latest",
        "io_configuration": {"format": "text"},
        "options": {
            "strict": True,
            "validation": {"enforce": "all"},
            "format": {"template": ["-{{name}}", "{{value}}"]},
            "items": [
                {
                    "name": "seed",
                    "option_type": "int",
                    "default": 0,
                    "description": "Start",
                    "required": True,
                    "local_only": False,
                },
                {
                    "name": "method",
                    "option_type": "string",
                    "description": "",
                    "required": False,
                    "local_only": False,
                    "additional_attributes": {"values": ["a", "b"]},
                    "ui": {"control_type": "select"},
                },
            ],
        },
        "entrypoint": "bin/solve",
        "working_directory": "bin",
    }


def test_options_have_defaults(tmp_path):
    manifest = "files: [m]\nconfiguration: {options: {items: []}}\n"
    assert requirements(tmp_path, manifest)["options"] == {
        "strict": False,
        "validation": {"enforce": "none"},
        "items": [],
    }


@pytest.mark.parametrize(
    ("multi_file", "expected"),
    [
        (
            "{}",
            {
                "input_path": "inputs/",
                "output_configuration": {
                    "solutions_path": "outputs/solutions/",
                    "metrics_path": "outputs/metrics.json",
                    "assets_path": "outputs/assets.json",
                },
            },
        ),
        (
            "{input: {path: in}, output: {solutions: s, metrics: '', statistics: t}}",
            {
                "input_path": "in",
                "output_configuration": {
                    "solutions_path": "s",
                    "assets_path": "outputs/assets.json",
                    "statistics_path": "t",
                },
            },
        ),
    ],
)
def test_several_files_have_their_paths(tmp_path, multi_file, expected):
    # wire/nextmv.md 6.1, 6.3
    content = f"{{format: multi-file, multi-file: {multi_file}}}"
    manifest = f"files: [m]\nconfiguration: {{content: {content}}}\n"
    assert requirements(tmp_path, manifest)["io_configuration"] == {
        "format": "multi-file",
        "multi_file": expected,
    }


# -- pushing -----------------------------------------------------------------------


@pytest.fixture
def put():
    """What was put, by the last part of its place: `upload` and `binary`."""
    return {}


@pytest.fixture
async def fleet(server, put):
    """An application without a program yet."""

    async def note(_session, _context, params):
        if params.method == "PUT":
            place = params.url.parts[1]
            name = "upload" if place == "uploads" else params.url.name
            put[name] = put.get(name, b"") + params.chunk

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(note)
    async with Session(trace_configs=[trace]) as session:
        nextmv = Nextmv(server.token, url=server.url, session=session)
        app = await Application.new(nextmv, "The fleet", "fleet")
        before = server.requests["nextmv"]
        yield app
        if not put:
            assert server.requests["nextmv"] == before  # a refused push sends nothing


ECHO = """\
import json, pathlib, sys
json.dump({"made": pathlib.Path("made.txt").read_text()}, sys.stdout)
"""


def archive_of(put):
    return tarfile.open(fileobj=io.BytesIO(put["upload"]), mode="r:gz")


async def test_what_is_packed(fleet, put, tmp_path):
    manifest = "files: ['**', '!notes/**']\nvendor-key: kept\n"
    tree(tmp_path, "main.py", ".hidden", "data/a.json", "notes/x", manifest=manifest)
    (tmp_path / "main.py").chmod(0o755)
    (tmp_path / "empty").mkdir()

    await fleet.push(app_dir=tmp_path)

    with archive_of(put) as archive:
        assert sorted(archive.getnames()) == [
            ".hidden",
            "app.yaml",
            "data/a.json",
            "main.py",
        ]
        assert all(member.isfile() for member in archive)
        assert archive.getmember("main.py").mode & 0o777 == 0o755
        assert archive.extractfile("data/a.json").read() == b"data/a.json"
        assert archive.extractfile("app.yaml").read().decode() == manifest


async def test_build_and_pre_push_make_the_files(fleet, put, tmp_path):
    (tmp_path / "build.py").write_text(
        "import os, pathlib\n"
        "where = pathlib.Path.cwd().name\n"
        "pathlib.Path('made.txt').write_text(os.environ['WORD'] + where)\n",
        encoding="utf-8",
    )
    (tmp_path / "main.py").write_text(ECHO, encoding="utf-8")
    manifest = """\
files: [main.py, made.txt]
build: {command: python3 build.py, environment: {WORD: 7}}
pre-push: printf ' twice' >> made.txt && true
"""
    tree(tmp_path, manifest=manifest)

    await fleet.push(app_dir=str(tmp_path))

    with archive_of(put) as archive:
        made = archive.extractfile("made.txt").read().decode()
    assert made == f"7{tmp_path.name} twice"
    run = await fleet.submit({})
    assert await run.result() == {"made": made}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("build: {command: python3 -c exit(3)}", r"'python3 -c exit\(3\)'.*status 3"),
        ("pre-push: echo first >&2; echo no disk >&2; exit 1", "status 1: no disk"),
        ("build: {command: 'false'}\npre-push: touch never", "status 1: silent"),
        ("build: {command: no-such-program --now}", "'no-such-program --now'"),
    ],
)
async def test_a_command_that_fails_stops_the_push(fleet, tmp_path, steps, said):
    tree(tmp_path, "main.py", manifest=f"files: [main.py]\n{steps}\n")
    with pytest.raises(InvalidInput, match=said) as caught:
        await fleet.push(app_dir=tmp_path)
    assert "app.yaml" in str(caught.value)
    assert not await anyio.Path(tmp_path / "never").exists()


async def test_a_directory_that_is_no_application_is_refused(fleet, tmp_path):
    with pytest.raises(InvalidInput, match="push a directory that has one"):
        await fleet.push(app_dir=tmp_path)
    with pytest.raises(InvalidInput, match="lists no files"):
        await fleet.push(app_dir=tree(tmp_path, manifest="type: python\n"))


async def test_a_push_to_an_application_that_is_not_there(server, tmp_path):
    async with Nextmv(server.token, url=server.url) as nextmv:
        with pytest.raises(NotFound, match="no application 'nobody'"):
            await nextmv.application("nobody").push(app_dir=TSP)


async def test_the_example_is_pushed_and_runs(server, fleet, put):
    await fleet.push(app_dir=TSP)

    manifest = await anyio.to_thread.run_sync(Manifest.from_yaml, TSP)
    assert json.loads(put["binary"]) == {"requirements": manifest.requirements()}
    square = {"name": "square", "points": [[0, 0], [0, 10], [10, 10], [10, 0]]}
    run = await fleet.submit(square, options={"seed": 1, "iterations": 5})
    lines = [event.message async for event in run.logs()]
    result = await run.result()
    assert result["solution"]["length"] == 40
    assert sorted(result["solution"]["tour"]) == [0, 1, 2, 3]
    assert lines
    assert len(server.engine.runs("nextmv")) == 1

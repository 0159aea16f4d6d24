"""Pushing to Nextmv: packages, models, versions, streaming (wire/nextmv.md 6)."""

import enum
import io
import re
import sys
import tarfile
import tempfile
import types
import zipfile

import anyio
import anyio.to_thread
import pytest
import yaml
from tests.platforms.nextmv.scripted import ScriptedNextmv

from aioruns.errors import InvalidInput, NotFound
from aioruns.http.request import FileBody
from aioruns.platforms.nextmv import (
    Manifest,
    ModelConfiguration,
    default_python_manifest,
)

LINK = {"upload_url": "https://files.example.org/push?sig=1"}
DEPS = ".nextmv/python/deps"


class Kept(ScriptedNextmv):
    """Keeps the archive that is put to the pre-signed address."""

    def __init__(self, *answers):
        super().__init__(*(answers or (LINK, None, None)))
        self.archive = {}

    async def send(self, request):
        if request.presigned:
            assert isinstance(request.body, FileBody)
            content = await anyio.Path(request.body.file).read_bytes()
            assert len(content) == request.body.size
            self.archive = await anyio.to_thread.run_sync(members, content)
        return await super().send(request)


def members(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return {
            member.name: opened.extractfile(member).read().decode()
            for member in opened
            if member.isfile()
        }


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Temporary files are made here, and none of them may be left."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


@pytest.fixture
def nextmv():
    return Kept()


@pytest.fixture
def app(nextmv):
    return nextmv.application("routing")


@pytest.fixture
def here(tmp_path):
    place = tmp_path / "app"
    place.mkdir()
    (place / "main.py").write_text("print('mine')\n")
    return place


def manifest(here, python=None, **more):
    content = {"type": "python", "files": ["main.py"], **more}
    if python is not None:
        content["python"] = python
    (here / "app.yaml").write_text(yaml.safe_dump(content))


def wheel(place, name="tiny", version="1.0", tag="py3-none-any"):
    """A wheel of one module, which nothing has to build."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": "WORD = 'tiny'\n",
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{info}/RECORD"] = "".join(
        f"{file},,\n" for file in [*files, f"{info}/RECORD"]
    )
    made = place / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(made, "w") as opened:
        for file, text in files.items():
            opened.writestr(file, text)
    return made


@pytest.fixture
def index(tmp_path, monkeypatch):
    """Where pip finds packages: nowhere but here."""
    place = tmp_path / "index"
    place.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return place


# -- packages ----------------------------------------------------------------------


async def test_packages_are_bundled(nextmv, app, here, index):
    wheel(index)
    (here / "requirements.txt").write_text("tiny==1.0  # small\n")
    manifest(here, {"pip-requirements": "requirements.txt"})
    await app.push(app_dir=here, no_cache=True)
    assert nextmv.archive[f"{DEPS}/tiny/__init__.py"] == "WORD = 'tiny'\n"
    assert f"{DEPS}/tiny-1.0.dist-info/METADATA" in nextmv.archive
    assert not [name for name in nextmv.archive if name.endswith(".pyc")]
    assert sorted(path.name for path in here.iterdir()) == [
        "app.yaml",
        "main.py",
        "requirements.txt",
    ]


@pytest.mark.parametrize(
    ("arch", "machine"), [(None, "aarch64"), ("arm64", "aarch64"), ("amd64", "x86_64")]
)
async def test_packages_are_those_of_the_platforms_machines(
    nextmv, app, here, index, arch, machine
):
    for one in ("aarch64", "x86_64"):
        wheel(index, "native", tag=f"cp312-cp312-manylinux_2_17_{one}")
    python = {"pip-requirements": ["native"], "version": 3.12, "arch": arch}
    manifest(here, {name: value for name, value in python.items() if value})
    await app.push(app_dir=here)
    told = nextmv.archive[f"{DEPS}/native-1.0.dist-info/WHEEL"]
    assert f"manylinux_2_17_{machine}" in told


async def test_requirements_may_be_paths_and_a_pyproject(nextmv, app, here, index):
    wheel(here)
    wheel(index, "other")
    (here / "pyproject.toml").write_text(
        "[project]\nname = 'x'\ndependencies = ['other>=1']\n"
    )
    manifest(here, {"pip-requirements": ["./tiny-1.0-py3-none-any.whl"]})
    await app.push(app_dir=here)
    assert f"{DEPS}/tiny/__init__.py" in nextmv.archive

    nextmv = Kept()
    manifest(here, {"pip-requirements": "pyproject.toml"})
    await nextmv.application("routing").push(app_dir=here)
    assert f"{DEPS}/other/__init__.py" in nextmv.archive


async def test_packages_of_an_earlier_push_are_replaced(nextmv, app, here, index):
    wheel(index)
    (here / DEPS / "old").mkdir(parents=True)
    (here / DEPS / "old" / "x.py").write_text("old")
    manifest(here, {"pip-requirements": ["tiny"]}, files=["**"])
    await app.push(app_dir=here)
    assert not [name for name in nextmv.archive if "old" in name]
    assert f"{DEPS}/tiny/__init__.py" in nextmv.archive


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ({"pip-requirements": ["absent"]}, "No matching distribution found for absent"),
        ({"pip-requirements": ["==="]}, "pip cannot install"),
        ({"pip-requirements": "absent.txt"}, "'absent.txt'.*cannot be read"),
        (
            {"pip-requirements": ["tiny"], "arch": "riscv"},
            "arm64 or amd64, not 'riscv'",
        ),
        ({"pip-requirements": ["tiny"], "version": 3.9}, "from 3.10 on, not '3.9'"),
        ({"pip-requirements": ["tiny"], "version": "2"}, "from 3.10 on, not '2'"),
    ],
)
async def test_packages_that_cannot_be_installed(
    app, nextmv, here, index, python, said
):
    manifest(here, python)
    with pytest.raises(InvalidInput, match=said) as caught:
        await app.push(app_dir=here)
    assert len(str(caught.value).splitlines()) == 1
    assert nextmv.calls == []


async def test_a_version_of_python_that_yaml_has_shortened(nextmv, app, here, index):
    wheel(index, "native", tag="cp310-cp310-manylinux2014_aarch64")
    (here / "app.yaml").write_text(
        "files: [main.py]\npython: {pip-requirements: [native], version: 3.10}\n"
    )
    await app.push(app_dir=here)
    assert f"{DEPS}/native/__init__.py" in nextmv.archive


async def test_a_python_without_pip(app, here, tmp_path, monkeypatch):
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    manifest(here, {"pip-requirements": ["tiny"]})
    with pytest.raises(InvalidInput, match=r"run .*python -m ensurepip"):
        await app.push(app_dir=here)


# -- manifests and streaming -------------------------------------------------------


async def test_a_manifest_that_is_given(nextmv, app, here):
    class Kind(enum.Enum):
        PYTHON = "python"

    given = Manifest(
        files=("main.py",), type=Kind.PYTHON, execution={"entrypoint": "main.py"}
    )
    await app.push(given, here)
    assert yaml.safe_load(nextmv.archive["app.yaml"]) == {
        "type": "python",
        "runtime": "ghcr.io/nextmv-io/runtime/python:3.11",
        "files": ["main.py"],
        "execution": {"entrypoint": "main.py"},
    }
    assert nextmv.requests[-1].json["requirements"]["entrypoint"] == "main.py"

    class Official:
        def to_dict(self):
            return {"type": "python", "files": ["main.py"], "runtime": "theirs"}

    for other in (Official(), Official().to_dict()):
        nextmv = Kept()
        await nextmv.application("routing").push(manifest=other, app_dir=here)
        assert nextmv.requests[-1].json["requirements"]["runtime"] == "theirs"


def test_a_manifest_of_no_known_type_is_refused():
    with pytest.raises(InvalidInput, match="the manifest has type 'fortran'"):
        Manifest(["main"], type="fortran")
    assert default_python_manifest().files == ["main.py"]


async def test_the_archive_is_streamed_with_progress(nextmv, app, here):
    manifest(here)
    progress = lambda *_: None  # noqa: E731 - one word
    await app.push(app_dir=here, progress=progress)
    body = nextmv.requests[1].body
    assert body.progress is progress
    assert nextmv.requests[1].content_type == "application/octet-stream"
    assert not body.file.exists()


async def test_the_current_directory_is_pushed_by_default(
    app, nextmv, here, monkeypatch
):
    manifest(here)
    monkeypatch.chdir(here)
    await app.push()
    assert set(nextmv.archive) == {"main.py", "app.yaml"}


@pytest.mark.parametrize("rich_print", [False, True])
async def test_verbose_says_the_steps(capsys, app, here, rich_print):
    manifest(here, build={"command": "true"})
    await app.push(app_dir=here, verbose=True, rich_print=rich_print)
    said = capsys.readouterr()
    assert said.out == ""
    for step in ("running true", "packed", "pushed to application routing"):
        assert step in said.err


# -- versions ----------------------------------------------------------------------


async def test_no_version_is_made_by_default(nextmv, app, here):
    manifest(here)
    await app.push(app_dir=here)
    assert nextmv.calls == ["GET /binary", "PUT (pre-signed)", "PUT /binary"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"version_id": "v9"},
            {
                "id": "v9",
                "name": "Version v9",
                "description": (
                    "Version created automatically from push at 2024-05-01T00:00:00Z"
                ),
            },
        ),
        (
            {"no_version": False, "version_name": "N", "version_description": "D"},
            {"name": "N", "description": "D"},
        ),
        ({"no_version": False}, {}),
    ],
)
async def test_a_version_is_made_if_something_is_said_of_it(here, given, expected):
    manifest(here)
    nextmv = Kept(LINK, None, None, {"id": "v9"})
    await nextmv.application("routing").push(app_dir=here, **given)
    assert nextmv.calls[-1] == "POST /versions"
    made = nextmv.requests[-1].json
    assert made == made | expected
    if "version_id" not in given:
        assert re.fullmatch(r"version-[a-z0-9]{8}-20240501-000000", made["id"])


async def test_no_version_is_made_if_that_is_said(nextmv, app, here):
    manifest(here)
    await app.push(app_dir=here, no_version=True, version_id="v9")
    assert nextmv.calls[-1] == "PUT /binary"


async def test_no_version_is_made_of_a_push_that_failed(here):
    manifest(here)
    nextmv = Kept(LINK, NotFound("404", None, 404))
    with pytest.raises(NotFound):
        await nextmv.application("routing").push(app_dir=here, version_id="v9")
    assert len(nextmv.calls) == 2


# -- models ------------------------------------------------------------------------


class Doubling:
    def solve(self, number):
        return 2 * number


class Option:
    def __init__(self, name, option_type, default):
        self.name, self.option_type, self.default = name, option_type, default
        self.description, self.required = None, True


@pytest.fixture
def mlflow(monkeypatch, index):
    """What push needs of mlflow: it writes what the saved model makes of 21."""
    wheel(index, "mlflow", "2.18.0")
    wheel(index)

    class PythonModel:
        pass

    def save_model(path, python_model, infer_code_paths):
        assert infer_code_paths
        assert isinstance(python_model, PythonModel)
        from pathlib import Path  # noqa: PLC0415 - a module of its own

        Path(path).mkdir()
        Path(path, "MLmodel").write_text(str(python_model.predict(None, 21)))

    made = types.ModuleType("mlflow")
    made.pyfunc = types.ModuleType("mlflow.pyfunc")
    made.pyfunc.PythonModel = PythonModel
    made.pyfunc.save_model = save_model
    monkeypatch.setitem(sys.modules, "mlflow", made)
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", made.pyfunc)
    return made


CONFIGURATION = ModelConfiguration("doubling", ["tiny"])


async def test_a_model_is_pushed_and_the_directory_left_alone(
    nextmv, app, here, mlflow
):
    (here / "data.csv").write_text("1,2\n")
    (here / "doubling").mkdir()
    (here / "doubling" / "note.txt").write_text("mine\n")
    manifest(here, files=["main.py", "data.csv", "doubling/**"])
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    await app.push(app_dir=here, model=Doubling(), model_configuration=CONFIGURATION)
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before
    packed = nextmv.archive
    assert packed["doubling/MLmodel"] == "42"
    assert "doubling/note.txt" not in packed
    assert packed["data.csv"] == "1,2\n"
    assert "load_model('doubling')" in packed["main.py"]
    compile(packed["main.py"], "main.py", "exec")
    assert f"{DEPS}/tiny/__init__.py" in packed
    assert f"{DEPS}/mlflow/__init__.py" in packed
    told = yaml.safe_load(packed["app.yaml"])
    assert told["files"] == ["main.py", "data.csv", "doubling/**"]
    assert told["python"]["pip-requirements"] == "model_requirements.txt"
    assert told["python"]["model"] == {"name": "doubling", "options": []}


async def test_the_options_of_a_model_are_activated(nextmv, app, here, mlflow):
    options = types.SimpleNamespace(
        options=[Option("threads", int, 4), Option("mode", str, "fast")]
    )
    enforced = types.SimpleNamespace(strict=True, validation_enforce=True)
    configuration = ModelConfiguration("doubling", ["tiny"], options, enforced)
    await app.push(
        manifest=default_python_manifest(),
        app_dir=here,
        model=Doubling(),
        model_configuration=configuration,
    )
    made = nextmv.requests[-1].json["requirements"]["options"]
    assert made["strict"] is True
    assert made["validation"] == {"enforce": "all"}
    assert [(item["name"], item["option_type"]) for item in made["items"]] == [
        ("threads", "int"),
        ("mode", "string"),
    ]


@pytest.mark.parametrize(
    ("model", "configuration", "error", "said"),
    [
        (Doubling(), None, ValueError, "both"),
        (None, CONFIGURATION, ValueError, "both"),
        (object(), CONFIGURATION, TypeError, "method solve"),
        (Doubling(), {"name": "x"}, TypeError, "ModelConfiguration, not dict"),
        (Doubling(), ModelConfiguration("../x"), ValueError, "letters, digits"),
    ],
)
async def test_a_model_that_is_none(
    app, nextmv, here, model, configuration, error, said
):
    manifest(here)
    with pytest.raises(error, match=said):
        await app.push(app_dir=here, model=model, model_configuration=configuration)
    assert nextmv.calls == []


async def test_mlflow_that_is_missing_or_fails(app, here, mlflow, monkeypatch):
    manifest(here)
    given = {"model": Doubling(), "model_configuration": CONFIGURATION}

    def fail(**_):
        raise RuntimeError("no space")

    monkeypatch.setattr(mlflow.pyfunc, "save_model", fail)
    with pytest.raises(
        InvalidInput, match="cannot pack the model 'doubling': no space"
    ):
        await app.push(app_dir=here, **given)
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    with pytest.raises(InvalidInput, match=r"install 'mlflow>=2\.18\.0'"):
        await app.push(app_dir=here, **given)

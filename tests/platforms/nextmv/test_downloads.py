"""What is behind pre-signed URLs: streamed, and unpacked where it may be."""

import io
import tarfile
import tempfile

import pytest
from tests.platforms.nextmv.scripted import (
    MISSING,
    ScriptedNextmv,
    archive,
    formats,
    information,
)

from aioruns.errors import InvalidInput, NotFound, Unreadable
from aioruns.http.request import FileSink
from aioruns.platforms.nextmv import RunAsset

LINK = {"url": "https://files.example.org/1?sig=1"}
FILES = information(format=formats("multi-file"))
ASSET = RunAsset("a-1", "run-1", "plot", content_type="json")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """Temporary files are made here, and none of them may be left."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


async def unpacked(content, place):
    nextmv = ScriptedNextmv(FILES, LINK, content)
    await nextmv.application("routing").run_output("run-1", place)
    return nextmv


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def named(name):
    member = tarfile.TarInfo(name)
    member.size = 1
    return member


@pytest.mark.parametrize(
    "members",
    [
        [named("../evil")],
        [named("deep/../../evil")],
        [link("way", ".."), named("way/evil")],
        [link("way", "/"), named("way/evil")],
        [link("hard", "../../secret", tarfile.LNKTYPE)],
        [link("device", "", tarfile.CHRTYPE)],
    ],
)
async def test_archives_that_can_write_outside_their_directory(tmp_path, members):
    place = tmp_path / "app" / "out"
    with pytest.raises(Unreadable, match="would write outside of"):
        await unpacked(archive(*members), place)
    assert not [path for path in tmp_path.rglob("evil") if path.exists()]


async def test_an_absolute_name_lands_inside(tmp_path):
    await unpacked(archive(named("/evil/name")), tmp_path / "out")
    assert (tmp_path / "out" / "evil" / "name").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", archive(**{"a.txt": b"x" * 99_999})[:-50]],
    ids=["empty", "text", "cut"],
)
async def test_what_is_no_archive_is_named(tmp_path, content):
    with pytest.raises(Unreadable, match="no archive"):
        await unpacked(content, tmp_path / "out")


async def test_an_archive_that_the_server_unzipped_on_the_way(tmp_path):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as opened:
        opened.addfile(named("a.txt"), io.BytesIO(b"x"))
    await unpacked(plain.getvalue(), tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"x"


async def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="choose another output_dir_path"):
        await unpacked(archive(named("a")), tmp_path / "file")


async def test_whole_files_in_memory(tmp_path):
    """What is downloaded is asked for as a stream into a file, and no other way."""
    nextmv = await unpacked(archive(named("a")), tmp_path)
    assert isinstance(nextmv.requests[-1].sink, FileSink)
    nextmv = ScriptedNextmv(
        information(output_size=10**9),
        information(output_size=10**9),
        information(output_size=10**9),
        LINK,
        b'{"value": 1}',
    )
    await nextmv.application("routing").run_result("run-1")
    assert isinstance(nextmv.requests[-1].sink, FileSink)


async def test_json_that_is_none(tmp_path):
    nextmv = ScriptedNextmv(information(output_size=10**9), LINK, b"<Error/>")
    with pytest.raises(Unreadable, match="download URL"):
        await nextmv.application("routing").run_output("run-1")


# -- assets ------------------------------------------------------------------------


async def test_assets_are_listed_with_their_run():
    nextmv = ScriptedNextmv(
        {
            "items": [
                {
                    "id": "a-1",
                    "name": "plot",
                    "size": 12,
                    "created_at": "2026-05-04T21:00:00.123456789Z",
                    "content_type": "json",
                    "visual": {"schema": "plotly", "label": "Plot"},
                },
                {"id": "a-2", "visual": {"schema": "vega", "label": ""}},
            ],
            "next_page_token": "not followed",
        }
    )
    plot, odd = await nextmv.application("routing").list_assets("run-1")
    assert (plot.run_id, plot.created_at) == ("run-1", "2026-05-04T21:00:00.123456789Z")
    assert plot.visual.visual_schema == "plotly"
    assert plot.visual.visual_type == "custom-tab"
    assert odd.visual.visual_schema == "vega"
    assert nextmv.calls == ["GET /run-1/assets"]


def asset(content, **more):
    place = {"download_url": "https://files.example.org/2?sig=2"} | more
    return ScriptedNextmv(place, content)


async def test_the_content_of_an_asset():
    nextmv = asset(b'{"data": [1]}')
    app = nextmv.application("routing")
    assert await app.download_asset_content(ASSET) == {"data": [1]}
    assert nextmv.calls == ["GET /run-1/assets/a-1", "GET (pre-signed)"]
    assert nextmv.requests[1].content_type == "application/json"

    nextmv = asset(b"\x89PNG", type="png")
    app = nextmv.application("routing")
    assert await app.download_asset_content(ASSET) == b"\x89PNG"
    assert nextmv.requests[1].content_type == "application/octet-stream"


async def test_an_asset_into_a_buffer():
    buffer = io.BytesIO()
    app = asset(b'{"a":  1}').application("routing")
    assert await app.download_asset_content(ASSET, buffer) is None
    assert buffer.getvalue() == b'{"a":  1}'


async def test_an_asset_into_a_file(tmp_path):
    seen = []
    app = asset(b'{"a":  1}').application("routing")
    await app.download_asset_content(
        ASSET, str(tmp_path / "plot.json"), lambda *counts: seen.append(counts)
    )
    assert (tmp_path / "plot.json").read_bytes() == b'{"a":  1}'
    assert seen == [(9, 9)]


async def test_a_file_that_was_there_stays_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "plot.json"
    file.write_text("before")
    app = asset(MISSING).application("routing")
    with pytest.raises(NotFound):
        await app.download_asset_content(ASSET, file)
    assert file.read_text() == "before"
    assert [path for path in tmp_path.iterdir() if path.is_file()] == [file]


async def test_a_directory_that_is_not_there_is_named(tmp_path):
    app = asset(b"{}").application("routing")
    with pytest.raises(InvalidInput, match=r"plot\.json cannot be written"):
        await app.download_asset_content(ASSET, tmp_path / "no" / "plot.json")

"""Uploads to Nextmv (wire/nextmv.md 3.2)."""

import pytest
from tests.platforms.nextmv.recording import RecordingNextmv

from aioruns.errors import InvalidInput
from aioruns.http.request import FileBody, Request
from aioruns.platforms.nextmv import UploadURL
from aioruns.platforms.nextmv.jsontext import LARGE

PLACE = UploadURL("up-1", "https://files.example.org/1?sig=1")
PUT = ["POST uploadurl", "PUT (pre-signed)"]


@pytest.fixture
def nextmv():
    return RecordingNextmv()


@pytest.fixture
def app(nextmv):
    return nextmv.application("routing")


async def test_a_place_to_upload_to(nextmv, app):
    assert await app.upload_url() == PLACE
    ((request, _),) = nextmv.requests
    assert request == Request(
        "POST", "/v1/applications/routing/runs/uploadurl", UploadURL, repeatable=True
    )


@pytest.mark.parametrize("place", [PLACE, PLACE.upload_url])
@pytest.mark.parametrize(
    ("data", "configurations", "sent"),
    [
        ({"a": 1, "ü": None}, None, '{"a":1,"ü":null}'.encode()),
        ([1], None, b"[1]"),
        ("id,ü\n", None, "id,ü\n".encode()),
        ("", None, b""),
        ({}, None, b"{}"),
        ({"b": 1, "a": 2}, {"sort_keys": True}, b'{"a":2,"b":1}'),
    ],
)
async def test_data_is_put_there(nextmv, app, place, data, configurations, sent):
    await app.upload_data(place, data, configurations)
    ((request, content),) = nextmv.requests
    assert content == sent
    assert request.presigned == PLACE.upload_url
    assert (request.method, request.content_type) == ("PUT", None)
    assert request.repeatable


async def test_the_older_name_with_its_order_of_arguments(nextmv, app, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"archive")
    await app.upload_large_input({"a": 1}, PLACE)
    await app.upload_large_input(None, PLACE, tar_file=str(tmp_path / "a.tar.gz"))
    assert nextmv.uploads == [b'{"a":1}', b"archive"]


async def test_a_file_is_streamed_with_progress(nextmv, app, tmp_path):
    def progress(done, total):
        raise AssertionError((done, total))

    (tmp_path / "a.tar.gz").write_bytes(b"archive")
    await app.upload_data(PLACE, tar_file=tmp_path / "a.tar.gz", progress=progress)
    body = nextmv.requests[0][0].body
    assert body == FileBody(tmp_path / "a.tar.gz", 7, progress)


async def test_long_data_is_streamed_from_a_file_that_goes_away(nextmv, app):
    await app.upload_data(PLACE, "x" * LARGE)
    await app.upload_data(PLACE, "x" * (LARGE + 1))
    short, long = (request.body for request, _ in nextmv.requests)
    assert isinstance(short, bytes)
    assert isinstance(long, FileBody)
    assert nextmv.uploads[1] == b"x" * (LARGE + 1)
    assert not long.file.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "give upload_data"),
        ({"data": {}, "tar_file": __file__}, "not both"),
        ({"tar_file": ""}, "give upload_data"),
        ({"tar_file": "/not/there"}, "/not/there"),
        ({"tar_file": "/"}, "no file"),
        ({"data": {"a": {1}}}, "JSON"),
        ({"data": "\ud800"}, "UTF-8"),
    ],
)
async def test_nothing_is_sent_of_what_cannot_be_sent(nextmv, app, arguments, said):
    with pytest.raises(InvalidInput, match=said):
        await app.upload_data(PLACE, **arguments)
    assert nextmv.calls == []


async def test_content_files_and_directories_find_their_own_place(
    nextmv, app, tmp_path
):
    (tmp_path / "file").write_text("content")
    assert await app.uploads.upload_content({"a": 1}) == "up-1"
    assert await app.uploads.upload_path(tmp_path / "file") == "up-2"
    assert await app.uploads.upload_path(tmp_path) == "up-3"
    assert nextmv.calls == 3 * PUT
    assert nextmv.uploads[:2] == [b'{"a":1}', b"content"]

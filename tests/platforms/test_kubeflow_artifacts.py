"""Artifacts are decoded piece by piece, wherever a piece may end."""

import base64
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioruns.platforms.kubeflow import artifacts


@pytest.fixture(autouse=True, scope="module")
def _small_pieces():
    """So that every border is met."""
    patch = pytest.MonkeyPatch()
    patch.setattr(artifacts, "_PIECE", 8)
    patch.setattr(artifacts, "_LONGEST_START", 24)
    yield
    patch.undo()


def taken(body):
    return b"".join(artifacts._pieces(io.BytesIO(body)))


@given(st.binary(max_size=200), st.integers(0, 9), st.booleans())
def test_any_bytes_come_back(data, spaces, escaped):
    text = base64.b64encode(data)
    if escaped:
        text = text.replace(b"/", rb"\/").replace(b"+", rb"\u002B")
        text = text.replace(b"=", rb"\u003d")
    body = b'{"data":' + b" " * spaces + b'"' + text + b'"}\n'
    assert taken(body) == data


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_part_is_never_taken_for_the_whole(data, draw):
    body = b'{"data":"' + base64.b64encode(data) + b'"}'
    cut = draw.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ValueError, match=r"."):
        taken(body[:cut])


@pytest.mark.parametrize("body", [b"{}", b" { } \n", b'{"data":""}'])
def test_an_empty_artifact(body):
    assert taken(body) == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b'{"error_message":"no"}',
        b'{"data":"-_8="}',
        b'{"data":"QQ=","data":"QQ=="}',
        b'{"data":"QQ==","more":1}',
        b'{"data":"QQ=="}}',
        b'{"data":"QQ==QQ==QQ=="}',
        b'{"data":"' + b"QQ==" * 20 + b'"}',
        b'{"data":"AAAA\\x' + b"AAAA" * 20 + b'"}',
        b'{"data":"AAAAA"}',
        b'{"data":"' + b"A" * 64,
    ],
)
def test_what_is_no_artifact(body):
    with pytest.raises(ValueError, match=r"."):
        taken(body)


@given(st.binary(max_size=80))
def test_nothing_else_is_raised(body):
    for text in (body, b'{"data":"' + body):
        try:
            taken(text)
        except ValueError:
            continue


def test_a_large_artifact_is_never_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "_PIECE", 64 * 1024)
    size = 8 * 1024 * 1024
    envelope, decoded = tmp_path / "e", tmp_path / "d"
    with envelope.open("wb") as file:
        file.write(b'{"data":"' + b"AAAA" * (size // 3) + b'"}')
    tracemalloc.start()
    try:
        taken_size = artifacts._take(envelope, decoded, tmp_path / "artifact")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken_size == (tmp_path / "artifact").stat().st_size == size // 3 * 3
    assert peak < size // 8
    assert not decoded.exists()

"""Uploads, and the assets of runs (wire/nextmv.md 3.2, 3.3.2)."""

import io
from pathlib import Path
from typing import Any

from tests.wire.nextmv.case import Case, fails, ok
from tests.wire.nextmv.cases import shapes

URL = 'UploadURL(upload_id="up-1", upload_url=f"{FILES}/up/1?sig=a%2Fb&n=1")'
ASSET = (
    'RunAsset(id="a-1", run_id="run-1", name="plot", size=3,'
    ' created_at="2026-05-04T21:00:00Z", content_type="json")'
)
ITEM = {
    "id": "a-1",
    "name": "plot",
    "created_at": "2026-05-04T21:00:00.123456789Z",
    "size": 12,
    "content_type": "json",
    "visual": {"schema": "plotly", "label": "Plot", "type": "custom-tab"},
    "owner": "unheard of",
}
SIGNED = {"download_url": "$FILES/a/1?sig=a%2Fb", "type": "json", "unheard": 1}


def _tar(tmp: Path) -> dict[str, Any]:
    (tmp / "some.tar.gz").write_bytes(shapes.archive({"a.txt": "one\n"}))
    return {"tar": str(tmp / "some.tar.gz")}


def _box(tmp: Path) -> dict[str, Any]:
    del tmp
    return {"box": io.BytesIO()}


def _upload(name: str, arguments: str, *answers: Any, **more: Any) -> Case:
    call = f"app.upload_data({arguments})"
    return Case("upload_data", name, call, answers or (ok(""),), **more)


def _download(name: str, arguments: str, *answers: Any, **more: Any) -> Case:
    call = f"app.download_asset_content({arguments})"
    return Case("download_asset_content", name, call, answers, **more)


def _list(name: str, *answers: Any, **more: Any) -> Case:
    return Case("list_assets", name, 'app.list_assets(run_id="run-1")', answers, **more)


CASES: list[Case] = [
    Case("upload_url", "url", "app.upload_url()", (ok(shapes.upload()),)),
    Case("upload_url", "forbidden", "app.upload_url()", (fails(403),)),
    Case("upload_url", "odd", "app.upload_url()", (ok({}),), official_fails=True),
    _upload("dict", f'upload_url={URL}, data={{"a": "ü", "n": None}}'),
    _upload("text", f'upload_url={URL}, data="id,x\\nü,1\\n"'),
    _upload("empty-text", f'upload_url={URL}, data=""'),
    _upload("positional-plain-url", 'f"{FILES}/up/2", {"a": 1}'),
    _upload("tar", f"upload_url={URL}, tar_file=tar", setup=_tar),
    _upload("data-wins", f'upload_url={URL}, data="plain", tar_file=tar', setup=_tar),
    _upload(
        "sorted",
        f'upload_url={URL}, data={{"b": 1}}, json_configurations={{"sort_keys": True}}',
    ),
    _upload("nothing", f"upload_url={URL}", official_fails=True),
    _upload("list", f"upload_url={URL}, data=[1]", official_fails=True),
    _upload(
        "missing-tar",
        f'upload_url={URL}, tar_file="nowhere.tar.gz"',
        official_fails=True,
    ),
    _upload("expired", f'upload_url={URL}, data="x"', fails(403, "<Error/>")),
    Case(
        "upload_large_input",
        "dict",
        f'app.upload_large_input(input={{"a": 1}}, upload_url={URL})',
        (ok(""),),
        official_fails=True,
    ),
    Case(
        "upload_large_input",
        "text",
        f'app.upload_large_input("plain", {URL})',
        (ok(""),),
        official_fails=True,
    ),
    Case(
        "upload_large_input",
        "tar",
        f"app.upload_large_input(None, {URL}, tar_file=tar)",
        (ok(""),),
        setup=_tar,
        official_fails=True,
    ),
    _list("rich", ok({"items": [ITEM, ITEM | {"id": "a-2", "visual": None}]})),
    _list("token-is-ignored", ok({"items": [ITEM], "next_page_token": "t"})),
    _list("empty", ok({"items": []})),
    _list("no-items", ok({})),
    _list("null-items", ok({"items": None}), official_fails=True),
    _list(
        "unknown-schema",
        ok({"items": [ITEM | {"visual": {"schema": "vega", "label": "V"}}]}),
        official_fails=True,
    ),
    _list("missing", fails(404)),
    _download("json", f"asset={ASSET}", ok(SIGNED), ok({"data": [1, "ü"]})),
    _download("untyped", ASSET, ok({"download_url": "$FILES/a"}), ok("[1]")),
    _download("bytes", ASSET, ok(SIGNED | {"type": "png"}), ok(b"\x89PNG")),
    _download(
        "to-buffer",
        f"asset={ASSET}, destination=box",
        ok(SIGNED),
        ok('{"a":  1}'),
        setup=_box,
        shows="box.getvalue().decode()",
    ),
    _download(
        "to-path",
        f"asset={ASSET}, destination=tmp / 'plot.json'",
        ok(SIGNED),
        ok('{"a":  1}'),
        shows="tree(tmp)",
    ),
    _download(
        "to-text-path",
        f"asset={ASSET}, destination='plot.bin'",
        ok(SIGNED | {"type": "bin"}),
        ok("raw"),
        shows="tree(tmp)",
    ),
    _download("missing", ASSET, fails(404)),
    _download("expired", ASSET, ok(SIGNED), fails(403, "<Error/>")),
]

"""Decoding run objects."""

import json
import tempfile
from pathlib import Path

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Server, in_rounds, ratio
from benchmarks.report import Row, Table
from benchmarks.stub import abeja, cloudify, kubeflow, nextmv
from benchmarks.stub.shapes import run_id

COUNT = 100_000
_PAGE = 1_000
_OFFICIAL = {"nextmv": 20_000, "kubeflow": 2_000}


def measure(
    server: Server, rounds: int, platforms: tuple[str, ...] = PLATFORMS
) -> Table:
    """100,000 run objects, one by one and in pages of 1,000."""
    table = Table("decode", f"Decoding {COUNT:,} run objects")
    table.notes.append(
        "From bytes to typed values with all fields; `bare` is orjson alone. The "
        "official clients of ABEJA and Cloudify decode nothing but JSON."
    )
    for platform in platforms:
        with tempfile.TemporaryDirectory() as place:
            _measure(server, rounds, platform, Path(place), table)
    return table


def _measure(
    server: Server, rounds: int, platform: str, place: Path, table: Table
) -> None:
    one, page = place / "one.json", place / "page.json"
    one.write_bytes(_run(platform))
    page.write_bytes(b"[%b]" % b",".join([_run(platform)] * _PAGE))
    files = {"one": str(one), "page": str(page)}
    to = {"platform": platform, "count": COUNT, **files}
    cases = [
        Case("ours", "ours_decode:ours", to),
        Case("bare", "ours_decode:bare", to),
    ]
    if count := _OFFICIAL.get(platform):
        run, of = f"official_{platform}:decode", {"count": count, **files}
        cases.append(Case("official", run, of, official=True, most_rounds=2))
    series = in_rounds(server, cases, rounds)
    for found in series.values():
        table.add(Row.of(platform, found))
    ours = series["ours"]
    table.check(
        f"{platform}: CPU of an object, ours / orjson's dicts",
        ratio(ours, series["bare"]),
    )
    table.check(
        f"{platform}: CPU of an object in a page of {_PAGE:,}, ours / orjson's dicts",
        ratio(ours, series["bare"], "page_cpu"),
    )
    stall = ours.median("page_cpu") / (COUNT // _PAGE) * 1000
    table.check(f"{platform}: ms that a page of {_PAGE:,} holds the loop up", stall)
    if "official" in series:
        scale = COUNT / _OFFICIAL[platform]
        gain = ratio(series["official"], ours, scale=scale)
        table.check(f"{platform}: CPU of an object, official / ours", gain)


def _run(platform: str) -> bytes:
    if platform == "nextmv":
        path = f"/v1/applications/bench/runs/{run_id(7)}/metadata"
        return nextmv.answer("GET", path, "", b"")
    if platform == "kubeflow":
        page = kubeflow.answer("GET", "/apis/v1beta1/runs", "page_size=1", b"")
        if not isinstance(page, bytes):
            raise SystemExit("a listing must be bytes")
        return json.dumps(json.loads(page)["runs"][0], separators=(",", ":")).encode()
    if platform == "abeja":
        path = f"/organizations/1/deployments/2/runs/{run_id(7)}"
        return abeja.answer("GET", path, "", b"")
    return cloudify.answer("GET", f"/api/v3.1/executions/{run_id(7)}", "", b"")

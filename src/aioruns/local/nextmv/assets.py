"""Assets: what a run shows beside its solution, listed and fetched one by one."""

from contextlib import suppress

from aioruns.local.nextmv.answers import Refusal, compact, rfc3339
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.inputs import run_files
from aioruns.local.nextmv.presigned import download_url
from aioruns.local.records import Json, RunRecord


def _file(asset_id: str) -> str:
    return f"asset/{asset_id}"


async def keep_assets(desk: Desk, record: RunRecord, assets: list[Json]) -> None:
    """Note the assets of an output, and put the content of each into a file."""
    rows: dict[str, Json] = {}
    for number, asset in enumerate(assets, 1):
        if not isinstance(asset, dict):
            continue
        key = asset.get("id")
        if not isinstance(key, str) or not key or key in rows:
            key = f"asset-{number}"
        kind = str(asset.get("content_type") or "json")
        content = asset.get("content")
        if kind == "json" or not isinstance(content, str):
            content = compact(content)
        data = content.encode()
        await desk.files.put(record.scope, run_files(record.id), _file(key), data)
        rows[key] = {
            "id": key,
            "name": str(asset.get("name") or key),
            "created_at": rfc3339(record.ended or record.created),
            "size": len(data),
            "content_type": kind,
        }
        if isinstance(asset.get("visual"), dict):
            rows[key]["visual"] = asset["visual"]
    record.detail["assets"] = rows
    with suppress(KeyError):  # the run was deleted meanwhile
        await desk.engine.save(record)


def asset_rows(record: RunRecord) -> list[dict[str, Json]]:
    """RunAsset for each (wire/nextmv.md 4.2)."""
    return list(record.detail.get("assets", {}).values())


def asset_download(desk: Desk, record: RunRecord, asset_id: str) -> dict[str, Json]:
    """Where to fetch one asset, and what it is.

    Raises:
        Refusal: The run has no such asset (404).
    """
    row = record.detail.get("assets", {}).get(asset_id)
    if row is None:
        raise Refusal(404, f"Run '{record.id}' has no asset '{asset_id}'.")
    kind = row["content_type"]
    content_type = "application/json" if kind == "json" else "application/octet-stream"
    url = download_url(
        desk, content_type, record.scope, run_files(record.id), _file(asset_id)
    )
    return {"download_url": url, "type": kind}

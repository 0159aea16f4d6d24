"""Forgetting runs."""

from contextlib import suppress

from aioruns.local.nextmv.answers import PLATFORM
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.inputs import drop_files
from aioruns.local.nextmv.verdicts import Verdicts
from aioruns.local.records import RunRecord


async def remove(desk: Desk, verdicts: Verdicts, record: RunRecord) -> None:
    """Forget a run with its files, and those of an ensemble; live ones are canceled."""
    for key in (record.id, *record.detail.get("children", ())):
        with suppress(KeyError):  # two requests may remove it at the same time
            await desk.engine.remove(PLATFORM, key)
        verdicts.forget(key)
        await drop_files(desk, record.scope, key)

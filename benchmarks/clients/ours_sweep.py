"""aioruns: a sweep of runs that end at once, beside its bare submissions."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aioruns
from aioruns.platforms.client import Client
from benchmarks.child import Meter
from benchmarks.clients.ours import connect
from benchmarks.clients.places import (
    DATA,
    STOPS,
    SWEEP,
    SWEEP_DEPLOYMENT,
    SWEEP_PIPELINE,
    VERSION,
)

if TYPE_CHECKING:  # a user imports the platform that is used
    from aioruns.platforms.abeja import Abeja
    from aioruns.platforms.cloudify import Cloudify
    from aioruns.platforms.kubeflow import Kubeflow
    from aioruns.platforms.nextmv import Nextmv

_WARM_UP = 500


def specs(client: Client, platform: str, count: int) -> Iterator[aioruns.RunSpec]:
    """What is submitted, as a user of the platform writes it."""
    if platform == "nextmv":
        app = cast("Nextmv", client).application(SWEEP)
        return (app.spec(STOPS, options={"seed": str(n)}) for n in range(count))
    if platform == "kubeflow":
        pipeline = cast("Kubeflow", client).pipeline(SWEEP_PIPELINE)
        return (pipeline.spec({"seed": n}, name="train") for n in range(count))
    if platform == "abeja":
        deployment = cast("Abeja", client).deployment(SWEEP_DEPLOYMENT)
        return (
            deployment.spec(VERSION, input_data=DATA, environment={"SEED": str(n)})
            for n in range(count)
        )
    place = cast("Cloudify", client).deployment(SWEEP)
    return (place.spec("install", {"seed": n}) for n in range(count))


async def sweep(
    meter: Meter,
    url: str,
    platform: str,
    count: int,
    max_active: int,
    *,
    results: bool,
    journal: bool,
) -> dict[str, object]:
    """Take specs to their outcomes."""
    async with aioruns.Session() as session:
        client = connect(platform, url, session)

        async def take(many: int, file: Path | None) -> None:
            done = 0
            async with aioruns.as_completed(
                specs(client, platform, many),
                max_active=max_active,
                results=results,
                journal=file,
            ) as outcomes:
                async for outcome in outcomes:
                    if not outcome.succeeded:
                        raise SystemExit(f"a run ended as {outcome}")
                    done += 1
            if done != many:
                raise SystemExit(f"{done} outcomes of {many}")

        with tempfile.TemporaryDirectory() as place:
            await take(_WARM_UP, Path(place, "warm.db") if journal else None)
            meter.start()
            sent = client.origin.sent
            await take(count, Path(place, "sweep.db") if journal else None)
            meter.stop()
    return {"requests": client.origin.sent - sent, "count": count}

"""Decoding run objects: ours, and orjson alone, from bytes in files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from aioruns.http.codec import decode as structured
from benchmarks.child import Meter


def _kinds(platform: str) -> tuple[type[Any], Any]:
    """A run, and a list of runs."""
    # Each case imports its own platform only.
    # ruff: noqa: PLC0415
    if platform == "nextmv":
        from aioruns.platforms.nextmv.models import RunInformation

        return RunInformation, list[RunInformation]
    if platform == "kubeflow":
        from aioruns.platforms.kubeflow.models import ApiRun

        return ApiRun, list[ApiRun]
    if platform == "abeja":
        from aioruns.platforms.abeja.models import AbejaRun

        return AbejaRun, list[AbejaRun]
    from aioruns.platforms.cloudify.models import Execution

    return Execution, list[Execution]


def ours(
    meter: Meter,
    url: str,  # noqa: ARG001 - none is asked
    platform: str,
    count: int,
    one: str,
    page: str,
) -> dict[str, object]:
    """As typed values, with all fields."""
    kind, kinds = _kinds(platform)
    return _measure(
        meter,
        (lambda body: structured(body, kind), lambda body: structured(body, kinds)),
        count,
        (one, page),
    )


def bare(
    meter: Meter,
    url: str,  # noqa: ARG001 - none is asked
    platform: str,
    count: int,
    one: str,
    page: str,
) -> dict[str, object]:
    """As the dicts that orjson makes."""
    del platform
    return _measure(meter, (orjson.loads, orjson.loads), count, (one, page))


def _measure(
    meter: Meter,
    loads: tuple[Callable[[bytes], object], Callable[[bytes], Any]],
    count: int,
    files: tuple[str, str],
) -> dict[str, object]:
    """So many objects one by one; then as many more by pages, as `page_cpu`."""
    one, page = (Path(file).read_bytes() for file in files)
    load_one, load_page = loads
    for _ in range(100):
        load_one(one)
    rows = len(load_page(page))
    meter.start()
    for _ in range(count // rows):
        load_page(page)
    meter.stop()
    pages = meter.figures["cpu"]
    meter.start()
    for _ in range(count):
        load_one(one)
    meter.stop()
    return {"requests": 0, "count": count, "page_cpu": pages}

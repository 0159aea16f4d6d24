"""How long it takes until there is something to work with."""

import importlib
import subprocess
import sys
import time

from benchmarks.child import Meter, cpu
from benchmarks.clients.places import APP, KEY

_HELP = """
import sys
from aioruns.cli import main
sys.argv = ["aioruns", "--help"]
try:
    main()
except SystemExit:
    pass
print("aiohttp" in sys.modules)
"""


def imports(meter: Meter, url: str) -> dict[str, object]:  # noqa: ARG001 - none is asked
    """CPU of `import aiohttp`, and of what aioruns adds to it."""
    at_first = cpu()
    importlib.import_module("aiohttp")
    aiohttp_there = cpu()
    aioruns = importlib.import_module("aioruns")
    there = cpu()
    meter.start()
    getattr(aioruns, "Session"), getattr(aioruns, "Nextmv")  # noqa: B009 - they are imported so
    meter.stop()
    one = cpu()
    for name in aioruns.__all__:
        getattr(aioruns, name)
    every = cpu()
    return {
        "requests": 0,
        "aiohttp": aiohttp_there - at_first,
        "package": there - aiohttp_there,
        "one_platform": one - aiohttp_there,
        "all_names": every - aiohttp_there,
    }


def help_text(meter: Meter, url: str) -> dict[str, object]:  # noqa: ARG001 - none is asked
    """Seconds of `aioruns --help`, and whether it imports aiohttp."""
    meter.start()
    began = time.perf_counter()
    said = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _HELP], capture_output=True, text=True, check=True
    ).stdout
    meter.stop()
    if "Usage" not in said:
        raise SystemExit(f"this is no help: {said}")
    return {
        "requests": 0,
        "seconds": time.perf_counter() - began,
        "aiohttp": float(said.splitlines()[-1] == "True"),
    }


async def first_request(meter: Meter, url: str, *, ours: bool) -> dict[str, object]:
    """The first answer of a process whose imports are done."""
    target = f"{url}/v1/applications/{APP}/runs/log-1/metadata"
    if ours:
        aioruns = importlib.import_module("aioruns")
        aioruns.Nextmv  # noqa: B018 - it is imported so
        meter.start()
        async with aioruns.Nextmv(KEY, url=url) as nextmv:
            status = await nextmv.application(APP).run("log-1").status()
        meter.stop()
        if status.state is not aioruns.RunState.SUCCEEDED:
            raise SystemExit(f"the run is {status}")
    else:
        aiohttp = importlib.import_module("aiohttp")
        orjson = importlib.import_module("orjson")
        meter.start()
        async with (
            aiohttp.ClientSession() as http,
            http.get(target, headers={"Authorization": f"Bearer {KEY}"}) as answer,
        ):
            orjson.loads(await answer.read())
        meter.stop()
    return {"requests": 1}

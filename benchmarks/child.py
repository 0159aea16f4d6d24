"""The process that is measured: one case, once.

    python -m benchmarks.child MODULE:FUNCTION '{"url": ...}'

The function gets a `Meter` and its arguments; what it returns is printed with the
meter's figures as one JSON object. Only the standard library is used here, as official
clients run in environments of their own.
"""

import asyncio
import importlib
import inspect
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path


class Meter:
    """What a stretch of work costs: CPU and wall seconds, and memory at its peak."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}
        self._cpu = self._wall = self._memory = 0.0

    def start(self) -> None:
        """Begin; what was done before was the warm-up."""
        self._memory = _reset_peak()
        self._wall = time.perf_counter()
        self._cpu = cpu()

    def stop(self) -> None:
        """End, and keep the figures."""
        spent = cpu() - self._cpu
        self.figures = {
            "cpu": spent,
            "wall": time.perf_counter() - self._wall,
            "memory": _peak() - self._memory,
        }


def cpu() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _reset_peak() -> float:
    """Forget the peak where the system allows it; MiB in use now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _peak() -> float:
    """MiB in use at the peak."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024 if sys.platform != "darwin" else used / 1024 / 1024


def main() -> None:
    """Run what the arguments name."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    core = arguments.pop("core", None)
    fast = arguments.pop("uvloop", False)
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    module, _, function = name.partition(":")
    case = getattr(importlib.import_module(module), function)
    meter = Meter()
    if not inspect.iscoroutinefunction(case):
        said = case(meter, **arguments)
    elif fast:
        uvloop = importlib.import_module("uvloop")
        said = uvloop.run(case(meter, **arguments))
    else:
        said = asyncio.run(case(meter, **arguments))
    print(json.dumps(meter.figures | (said or {})))


if __name__ == "__main__":
    main()

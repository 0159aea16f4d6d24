"""Sweeps over the workers of a dask.distributed cluster; needs the extra `dask`."""

try:
    import distributed as _distributed  # noqa: F401 - is it there?
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "sweeps over a cluster need dask.distributed: install aioruns[dask]",
        name=error.name,
    ) from error

from aioruns.distributed.crew import NoWorkers
from aioruns.distributed.engine import DaskEngine

__all__ = ["DaskEngine", "NoWorkers"]

"""Sweeps over the workers of a dask.distributed cluster; needs the extra `dask`."""

from aioruns.distributed.crew import NoWorkers
from aioruns.distributed.engine import DaskEngine

__all__ = ["DaskEngine", "NoWorkers"]

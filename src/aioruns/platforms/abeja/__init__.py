"""ABEJA Platform: runs of a deployment's versions."""

from aioruns.platforms.abeja.client import Abeja
from aioruns.platforms.abeja.deployment import Deployment
from aioruns.platforms.abeja.models import (
    AbejaRun,
    LogLine,
    RecentLogs,
    RunLogs,
    RunPage,
)

__all__ = [
    "Abeja",
    "AbejaRun",
    "Deployment",
    "LogLine",
    "RecentLogs",
    "RunLogs",
    "RunPage",
]

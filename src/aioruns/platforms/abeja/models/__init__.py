"""What the platform answers (wire/abeja.md 3 and 8)."""

from aioruns.platforms.abeja.models.deployments import (
    DeploymentInfo,
    DeploymentPage,
    Version,
    VersionPage,
)
from aioruns.platforms.abeja.models.logs import LogLine, RecentLogs, RunLogs
from aioruns.platforms.abeja.models.rows import MarkedRow, MarkedRows, RunRow
from aioruns.platforms.abeja.models.runs import AbejaRun, RunPage
from aioruns.platforms.abeja.models.services import Service, ServicePage
from aioruns.platforms.abeja.models.triggers import Message, Trigger, TriggerPage

__all__ = [
    "AbejaRun",
    "DeploymentInfo",
    "DeploymentPage",
    "LogLine",
    "MarkedRow",
    "MarkedRows",
    "Message",
    "RecentLogs",
    "RunLogs",
    "RunPage",
    "RunRow",
    "Service",
    "ServicePage",
    "Trigger",
    "TriggerPage",
    "Version",
    "VersionPage",
]

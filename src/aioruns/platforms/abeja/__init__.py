"""ABEJA Platform: runs of a deployment's versions."""

from aioruns.platforms.abeja.api import Api
from aioruns.platforms.abeja.catalog import Catalog
from aioruns.platforms.abeja.client import Abeja
from aioruns.platforms.abeja.deployment import Deployment
from aioruns.platforms.abeja.lines import Lines
from aioruns.platforms.abeja.models import (
    AbejaRun,
    DeploymentInfo,
    DeploymentPage,
    LogLine,
    Message,
    RecentLogs,
    RunLogs,
    RunPage,
    Service,
    ServicePage,
    Trigger,
    TriggerPage,
    Version,
    VersionPage,
)

__all__ = [
    "Abeja",
    "AbejaRun",
    "Api",
    "Catalog",
    "Deployment",
    "DeploymentInfo",
    "DeploymentPage",
    "Lines",
    "LogLine",
    "Message",
    "RecentLogs",
    "RunLogs",
    "RunPage",
    "Service",
    "ServicePage",
    "Trigger",
    "TriggerPage",
    "Version",
    "VersionPage",
]

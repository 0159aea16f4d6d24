"""Cloudify Manager: deployments, and the executions of their workflows."""

from aioruns.platforms.cloudify import errors
from aioruns.platforms.cloudify.client import Cloudify
from aioruns.platforms.cloudify.deployment import Deployment
from aioruns.platforms.cloudify.deployment_group import DeploymentGroup, GroupBatch
from aioruns.platforms.cloudify.group_run import GroupRun
from aioruns.platforms.cloudify.models import (
    Event,
    Execution,
    ExecutionGroup,
    ExecutionSchedule,
    ListResponse,
)

__all__ = [
    "Cloudify",
    "Deployment",
    "DeploymentGroup",
    "Event",
    "Execution",
    "ExecutionGroup",
    "ExecutionSchedule",
    "GroupBatch",
    "GroupRun",
    "ListResponse",
    "errors",
]

"""Cloudify Manager: deployments, and the executions of their workflows."""

from aioruns.platforms.cloudify.client import Cloudify
from aioruns.platforms.cloudify.deployment import Deployment
from aioruns.platforms.cloudify.models import Execution

__all__ = ["Cloudify", "Deployment", "Execution"]

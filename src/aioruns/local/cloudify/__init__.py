"""The HTTP API of a Cloudify Manager over the engine."""

from aioruns.local.cloudify.defects import Defects
from aioruns.local.cloudify.facade import CloudifyFacade
from aioruns.local.cloudify.users import User

__all__ = ["CloudifyFacade", "Defects", "User"]

"""The HTTP API of a Cloudify Manager over the engine."""

from aioruns.local.cloudify.facade import CloudifyFacade

__all__ = ["CloudifyFacade"]

"""The ABEJA Platform Run API of the local server."""

from aioruns.local.abeja.facade import AbejaFacade

__all__ = ["AbejaFacade"]

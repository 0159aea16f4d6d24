"""The Nextmv Cloud API over the engine, written from wire/nextmv.md."""

from aioruns.local.nextmv.facade import NextmvFacade

__all__ = ["NextmvFacade"]

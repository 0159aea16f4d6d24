"""Nextmv Cloud."""

from aioruns.platforms.nextmv.application import Application
from aioruns.platforms.nextmv.client import Nextmv

__all__ = ["Application", "Nextmv"]

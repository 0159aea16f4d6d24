"""The public names of ABEJA Platform: clients, handles, models, errors."""

from aioruns.platforms.abeja import *  # noqa: F403 - the list is kept there

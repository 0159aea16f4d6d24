"""The public names of Cloudify Manager: clients, handles, models, errors."""

from aioruns.platforms.cloudify import *  # noqa: F403 - the list is kept there

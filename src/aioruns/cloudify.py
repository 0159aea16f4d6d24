"""The public names of Cloudify Manager: clients, handles, models, errors."""

from aioruns.platforms.cloudify import *  # noqa: F403 - the list is kept there
from aioruns.platforms.cloudify import __all__  # noqa: F401 - for `import *` and tools

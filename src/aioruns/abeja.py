"""The public names of ABEJA Platform: clients, handles, models, errors."""

from aioruns.platforms.abeja import *  # noqa: F403 - the list is kept there
from aioruns.platforms.abeja import __all__  # noqa: F401 - for `import *` and tools

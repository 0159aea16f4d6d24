"""The public names of Nextmv Cloud: clients, handles, models, errors."""

from aioruns.platforms.nextmv import *  # noqa: F403 - the list is kept there
from aioruns.platforms.nextmv import __all__  # noqa: F401 - for `import *` and tools

"""The public names of Kubeflow Pipelines: clients, handles, models, errors."""

from aioruns.platforms.kubeflow import *  # noqa: F403 - the list is kept there
from aioruns.platforms.kubeflow import __all__  # noqa: F401 - for `import *` and tools

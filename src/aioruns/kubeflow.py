"""The public names of Kubeflow Pipelines: clients, handles, models, errors."""

from aioruns.platforms.kubeflow import *  # noqa: F403 - the list is kept there

"""Kubeflow Pipelines: the run service of three server generations."""

from aioruns.local.kubeflow.facade import KubeflowFacade

__all__ = ["KubeflowFacade"]

"""Kubeflow Pipelines."""

from aioruns.platforms.kubeflow.client import Kubeflow
from aioruns.platforms.kubeflow.models import (
    ArtifactData,
    KubeflowRun,
    MetricResult,
    MetricResults,
    RunDetail,
    RunList,
    RunResult,
)
from aioruns.platforms.kubeflow.pipeline import Pipeline
from aioruns.platforms.kubeflow.runservice import RunService

__all__ = [
    "ArtifactData",
    "Kubeflow",
    "KubeflowRun",
    "MetricResult",
    "MetricResults",
    "Pipeline",
    "RunDetail",
    "RunList",
    "RunResult",
    "RunService",
]

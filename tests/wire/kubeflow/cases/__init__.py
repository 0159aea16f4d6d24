"""All cases, by REST version."""

from tests.wire.kubeflow.cases import (
    v1_acting,
    v1_creating,
    v1_reading,
    v1_reporting,
    v2_acting,
    v2_creating,
    v2_reading,
)

VERSIONS = {
    "v1beta1": (
        *v1_acting.CASES,
        *v1_creating.CASES,
        *v1_reading.CASES,
        *v1_reporting.CASES,
    ),
    "v2beta1": (*v2_acting.CASES, *v2_creating.CASES, *v2_reading.CASES),
}

"""All calls, by resource."""

from tests.wire.nextmv.case import Case
from tests.wire.nextmv.cases import (
    acceptances,
    applications,
    assets,
    batches,
    ensembles,
    input_sets,
    instances,
    managed_inputs,
    online_tests,
    reading,
    scenarios,
    secrets,
    submitting,
    tracking,
    versions,
)

RESOURCES: dict[str, list[Case]] = {
    "submitting": submitting.CASES,
    "reading": reading.CASES,
    "tracking": tracking.CASES,
    "assets": assets.CASES,
    "applications": applications.CASES,
    "batches": batches.CASES,
    "scenarios": scenarios.CASES,
    "acceptances": acceptances.CASES,
    "ensembles": ensembles.CASES,
    "input_sets": input_sets.CASES,
    "instances": instances.CASES,
    "managed_inputs": managed_inputs.CASES,
    "secrets": secrets.CASES,
    "versions": versions.CASES,
    "online_tests": online_tests.CASES,
}

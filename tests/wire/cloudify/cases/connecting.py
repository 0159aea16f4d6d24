"""What every request carries (wire/cloudify.md 1.2, 1.3)."""

from tests.wire.cloudify.case import CREDENTIALS, Case, ok
from tests.wire.cloudify.cases import shapes

CASES = [
    Case(
        "executions.get",
        f"as-{name}",
        '"e-1"',
        (ok(shapes.execution()),),
        connect=name,
    )
    for name in CREDENTIALS
]

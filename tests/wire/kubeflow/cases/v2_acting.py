"""Operations of v2beta1 that answer nothing (wire/kubeflow.md 2.4 to 2.7)."""

from tests.wire.kubeflow.case import Case, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import OTHER_ID

_OPERATIONS = (
    "run_service_archive_run",
    "run_service_unarchive_run",
    "run_service_delete_run",
    "run_service_terminate_run",
    "run_service_retry_run",
)


def of(operation: str) -> tuple[Case, ...]:
    """The same cases for each of them."""
    given = f'"{OTHER_ID}"'
    return (
        Case(operation, "done", given, (ok({}),)),
        Case(operation, "by keyword", f"run_id={given}", (ok({}),)),
        Case(
            operation, "with an experiment", f"{given}, experiment_id='e 1'", (ok({}),)
        ),
        Case(operation, "an id to quote", '"a/b:c d"', (ok({}),)),
        Case(operation, "no id", "None"),
        Case(operation, "an empty id", '""', (gateway(404, 5, oldest=False),)),
        Case(operation, "an unknown keyword", f"{given}, color='red'"),
        Case(operation, "unknown", given, (gateway(404, 5, oldest=False),)),
        Case(operation, "in the wrong state", given, (gateway(400, 9, oldest=False),)),
        Case(operation, "aborted", given, (gateway(409, 10, oldest=False),)),
        Case(operation, "a login page", given, (html(),)),
        Case(operation, "with a cookie", given, (ok({}),), connect="cookie"),
        Case(operation, "below a path", given, (ok({}),), connect="below"),
    )


CASES = tuple(case for operation in _OPERATIONS for case in of(operation))

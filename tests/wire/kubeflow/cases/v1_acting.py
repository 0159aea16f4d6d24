"""Operations of v1beta1 that answer nothing (wire/kubeflow.md 2.4 to 2.7)."""

from tests.wire.kubeflow.case import Case, fails, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import RUN_ID

_PARAMETERS = {
    "archive_run": "id",
    "unarchive_run": "id",
    "delete_run": "id",
    "terminate_run": "run_id",
    "retry_run": "run_id",
}


def of(operation: str, parameter: str) -> tuple[Case, ...]:
    """The same cases for each of them."""
    given = f'"{RUN_ID}"'
    return (
        Case(operation, "done", given, (ok({}),)),
        Case(operation, "by keyword", f"{parameter}={given}", (ok({}),)),
        Case(operation, "an id to quote", '"a/b:c d"', (ok({}),)),
        Case(operation, "no id", "None"),
        Case(operation, "an empty id", '""', (gateway(404, 5),)),
        Case(operation, "an unknown keyword", f"{given}, color='red'"),
        Case(operation, "unknown", given, (gateway(404, 5),)),
        Case(operation, "in the wrong state", given, (gateway(400, 3),)),
        Case(operation, "aborted", given, (gateway(409, 10, oldest=False),)),
        Case(operation, "no such route", given, (fails(501, {"code": 12}),)),
        Case(operation, "a login page", given, (html(),)),
        Case(operation, "with a cookie", given, (ok({}),), connect="cookie"),
        Case(operation, "below a path", given, (ok({}),), connect="below"),
    )


CASES = tuple(
    case
    for operation, parameter in _PARAMETERS.items()
    for case in of(operation, parameter)
)

"""Single reads and listings of v2beta1 (wire/kubeflow.md 2.2 and 2.3)."""

from tests.wire.kubeflow.case import Answer, Case, fails, gateway, html, ok
from tests.wire.kubeflow.cases.shapes import FAILED_V2, OTHER_ID, RUN_ID, fresh_v2

_ID = f'"{OTHER_ID}"'
_TOKEN = "eyJTb3J0QnlGaWVsZE5hbWUiOiJDIn0="
_FILTER = (
    '{"predicates":[{"operation":"EQUALS","key":"state","string_value":"a b+c%25"}]}'
)


def get(name: str, *answers: Answer, arguments: str = _ID, **more: object) -> Case:
    """A case of get_run."""
    return Case("run_service_get_run", name, arguments, answers, **more)


def listing(name: str, arguments: str, *answers: Answer, **more: object) -> Case:
    """A case of list_runs."""
    given = answers or (ok({"runs": [fresh_v2()], "total_size": 1}),)
    return Case("run_service_list_runs", name, arguments, given, **more)


CASES = (
    get("fresh", ok(fresh_v2())),
    get("failed", ok(fresh_v2(**FAILED_V2))),
    get("by keyword", ok(fresh_v2()), arguments=f"run_id={_ID}"),
    get(
        "with an experiment",
        ok(fresh_v2()),
        arguments=f"{_ID}, experiment_id='e 1/1+&'",
    ),
    get("unknown keys", ok(fresh_v2(color="red"))),
    get("unknown words", ok(fresh_v2(state="DREAMING", storage_state="X"))),
    get("nulls", ok(fresh_v2(description=None, state_history=None))),
    get("empty messages", ok({"run_id": "r", "runtime_config": {}, "run_details": {}})),
    get("an id to quote", ok(fresh_v2()), arguments='"a/b:c d?#%+"'),
    get("no id", arguments="None"),
    get("an empty id", gateway(404, 5, oldest=False), arguments='""'),
    get("unknown", gateway(404, 5, oldest=False)),
    get("unauthorized", gateway(401, 16, oldest=False), connect="nobody"),
    get("broken", gateway(500, 13, oldest=False)),
    get("a login page", html()),
    get("an empty answer", ok({})),
    get("with a user id", ok(fresh_v2()), connect="user"),
    get("below a path", ok(fresh_v2()), connect="below"),
    listing("all", ""),
    listing("nothing", "", ok({})),
    listing(
        "a page",
        "page_size=2",
        ok(
            {
                "runs": [fresh_v2(), fresh_v2(run_id=RUN_ID, **FAILED_V2)],
                "total_size": 3,
                "next_page_token": _TOKEN,
            }
        ),
    ),
    listing(
        "every parameter",
        f"namespace='team', experiment_id='e-11', page_token={_TOKEN!r}, page_size=50, "
        f"sort_by='created_at desc', filter={_FILTER!r}",
    ),
    listing("a namespace", "namespace='team a'"),
    listing("an experiment", "experiment_id='e-11'"),
    listing("a token", f"page_token={_TOKEN!r}"),
    listing("a filter", f"filter={_FILTER!r}"),
    listing("empty texts", "page_token='', sort_by='', filter='', namespace=''"),
    listing("a negative page size", "page_size=-1", gateway(400, 3, oldest=False)),
    listing("an unknown keyword", "color='red'"),
    listing("an unknown column", "sort_by='color'", gateway(400, 3, oldest=False)),
    listing("unknown experiment", "", gateway(404, 5, oldest=False)),
    listing("forbidden", "", gateway(403, 7, oldest=False)),
    listing("busy", "", fails(429, "slowly")),
    listing("a login page", "", html()),
    listing("a run without an id", "", ok({"runs": [{"display_name": "n"}]})),
)

"""Shadow and switchback tests (wire/nextmv.md 3.13)."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import batches, common, shapes

COMPARISONS = (
    '[{"baseline_instance_id": "staging", "candidate_instance_ids": ["trial"]}]'
)
SINGLE = 'TestComparisonSingle(baseline_instance_id="a", candidate_instance_id="b")'


def _of_both(kind: str, make: Callable[..., dict[str, Any]]) -> Iterator[Case]:
    name = f"{kind}_test"
    metadata = {
        key: make()[key]
        for key in ("id", "app_id", "name", "description", "created_at", "updated_at")
    } | {"status": "started", "unheard": 1}
    yield Case(name, "rich", f'app.{name}("one")', (ok(make()), batches.RUNS))
    yield Case(name, "bare", f'app.{name}({name}_id="one")', (ok({}), ok({})))
    yield Case(name, "missing", f'app.{name}("one")', (fails(404),))
    yield Case(
        name,
        "null-runs",
        f'app.{name}("one")',
        (ok(make()), ok({"runs": None})),
        official_fails=True,
    )
    yield Case(
        name,
        "unknown-status",
        f'app.{name}("one")',
        (ok(make(status="dreaming")), ok({})),
        official_fails=True,
    )
    yield from common.reads(f"{name}_metadata", metadata, {})
    yield from common.lists(f"list_{name}s", make, {}, wrapped=kind == "switchback")
    yield from common.deletes(f"delete_{name}", f"{name}_id")
    for arguments, label in (
        (f'{name}_id="one", name="N"', "name"),
        ('"one", "N", ""', "both"),
        ('"one"', "nothing"),
    ):
        call = f"app.update_{name}({arguments})"
        yield Case(f"update_{name}", label, call, (ok(make()),))
    yield Case(f"start_{name}", "no-body", f'app.start_{name}("one")', (Answer(204),))
    yield Case(
        f"start_{name}", "by-name", f'app.start_{name}({name}_id="one")', (ok({}),)
    )
    yield Case(f"start_{name}", "missing", f'app.start_{name}("one")', (fails(404),))
    for intent in ("COMPLETE", "CANCEL"):
        yield Case(
            f"stop_{name}",
            intent.lower(),
            f'app.stop_{name}("one", StopIntent.{intent})',
            (Answer(204),),
        )
    yield Case(
        f"stop_{name}",
        "by-name",
        f'app.stop_{name}({name}_id="one", intent=StopIntent.CANCEL)',
        (fails(409),),
    )


def _shadow(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_shadow_test({arguments})"
    given = answers or (ok(shapes.shadow()),)
    return Case("new_shadow_test", name, call, given, **more)


def _switchback(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_switchback_test({arguments})"
    given = answers or (ok(shapes.switchback()),)
    return Case("new_switchback_test", name, call, given, **more)


CASES: list[Case] = [
    *_of_both("shadow", shapes.shadow),
    _shadow(
        "everything",
        f"comparisons={COMPARISONS}, termination_events=TerminationEvents("
        "maximum_runs=20, time=datetime(2026, 5, 2, tzinfo=timezone.utc)),"
        ' shadow_test_id="shade", name="Shade", description="d ü",'
        " start_events=StartEvents(time=datetime(2026, 5, 1, tzinfo=timezone.utc))",
    ),
    _shadow(
        "plain",
        f'{COMPARISONS}, TerminationEvents(maximum_runs=300), "shade"',
    ),
    _shadow(
        "generated",
        f"{COMPARISONS}, TerminationEvents(maximum_runs=1)",
        generated=("shadow",),
    ),
    _shadow(
        "comparison-objects",
        '[TestComparison(baseline_instance_id="a", candidate_instance_ids=["b"])],'
        ' TerminationEvents(maximum_runs=1), "shade"',
        official_fails=True,
    ),
    _shadow(
        "too-many-runs",
        f'{COMPARISONS}, TerminationEvents(maximum_runs=301), "shade"',
        official_fails=True,
    ),
    *_of_both("switchback", shapes.switchback),
    _switchback(
        "everything",
        f"comparison={SINGLE}, unit_duration_minutes=30.5, units=10,"
        ' switchback_test_id="swing", name="Swing", description="d ü",'
        " start=datetime(2026, 5, 1, tzinfo=timezone.utc)",
    ),
    _switchback("plain", f'{SINGLE}, 1, 1000, "swing"'),
    _switchback("naive-start", f'{SINGLE}, 60, 2, "swing", start=datetime(2026, 5, 1)'),
    _switchback("generated", f"{SINGLE}, 60, 2", generated=("switchback",)),
    _switchback("too-short", f'{SINGLE}, 0.5, 2, "swing"', official_fails=True),
    _switchback("too-many", f'{SINGLE}, 60, 1001, "swing"', official_fails=True),
]

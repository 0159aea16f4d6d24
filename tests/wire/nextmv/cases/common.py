"""Cases that many resources have in the same way."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import shapes


def lists(
    operation: str,
    item: Callable[[str], dict[str, Any]],
    bare: dict[str, Any],
    *,
    call: str = "",
    wrapped: bool = False,
) -> Iterator[Case]:
    """The cases of a list: pages, odd pages, and the shape without pages.

    Args:
        operation: The documented name.
        item: Makes a rich item with an id.
        bare: As little as the official client accepts.
        call: The call up to its last argument, where `app` has not the operation.
        wrapped: Whether the list without pages is an object (wire/nextmv.md 2).
    """
    start = call or f"app.{operation}("

    def case(name: str, *answers: Answer, arguments: str = "", **more: Any) -> Case:
        return Case(operation, name, f"{start}{arguments})", answers, **more)

    whole: Any = [item("one"), bare]
    nothing: Any = None
    if wrapped:
        whole, nothing = {"items": whole}, {"items": []}
    yield case("one-page", ok(shapes.page([item("one"), bare])))
    yield case(
        "pages",
        ok(shapes.page([item("one")], "to ken/+=&ü")),
        ok(shapes.page([], "t2")),
        ok(shapes.page([bare], None)),
    )
    yield case("empty", ok(shapes.page([], "")))
    yield case("null-items", ok({"items": None, "next_page_token": None}))
    yield case("no-items", ok({}))
    yield case("no-pagination", ok(whole), arguments="no_pagination=True")
    yield case("no-pagination-null", ok(nothing), arguments="no_pagination=True")
    yield case("token-is-no-text", ok(shapes.page([], 7)))
    yield case("items-are-no-list", ok({"items": {"a": 1}}))
    yield case("forbidden", fails(403))
    yield case("second-page-missing", ok(shapes.page([bare], "t")), fails(404))


def reads(operation: str, item: dict[str, Any], bare: dict[str, Any]) -> Iterator[Case]:
    """The cases of reading one thing by its id."""
    yield Case(operation, "rich", f'app.{operation}("one")', (ok(item),))
    yield Case(operation, "bare", f'app.{operation}("one")', (ok(bare),))
    yield Case(operation, "odd-id", f'app.{operation}("o ne.ü~1")', (ok(item),))
    yield Case(operation, "missing", f'app.{operation}("one")', (fails(404),))
    yield Case(operation, "forbidden", f'app.{operation}("one")', (fails(403),))
    yield Case(
        operation,
        "no-object",
        f'app.{operation}("one")',
        (ok("[]"),),
        official_fails=True,
    )


def deletes(operation: str, argument: str) -> Iterator[Case]:
    """The cases of deleting one thing."""
    yield Case(operation, "no-body", f'app.{operation}("one")', (Answer(204),))
    yield Case(
        operation, "by-name", f'app.{operation}({argument}="one")', (ok({"id": "one"}),)
    )
    yield Case(operation, "missing", f'app.{operation}("one")', (fails(404),))


def exists(operation: str, argument: str, item: dict[str, Any]) -> Iterator[Case]:
    """The cases of asking whether there is one."""
    yield Case(operation, "yes", f'app.{operation}({argument}="one")', (ok(item),))
    yield Case(operation, "no", f'app.{operation}("one")', (fails(404),))
    yield Case(operation, "forbidden", f'app.{operation}("one")', (fails(403),))

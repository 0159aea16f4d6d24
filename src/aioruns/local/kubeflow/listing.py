"""Pages of runs: filter, order and page tokens (wire/kubeflow.md 5)."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from urllib.parse import unquote_plus

from attrs import field, frozen

from aioruns.local.kubeflow.columns import Value, column, keys
from aioruns.local.kubeflow.errors import INTERNAL, INVALID, Generation, Refusal
from aioruns.local.kubeflow.messages import filter_message, loads, parse
from aioruns.local.records import Json, RunRecord

LARGEST_PAGE = 200

# wire/kubeflow.md 5.1: no second page in these orders
_ONE_PAGE_ORDERS = {"experiment_id", "recurring_run_id", "state_history"}

_COMPARE = {
    "EQUALS": eq,
    "NOT_EQUALS": ne,
    "GREATER_THAN": gt,
    "GREATER_THAN_EQUALS": ge,
    "LESS_THAN": lt,
    "LESS_THAN_EQUALS": le,
}


@frozen
class Predicate:
    """One condition of a filter."""

    operation: str
    key: str
    kind: str
    """The value key, such as `string_value`."""
    value: Any


@frozen
class Order:
    """A column and a direction; ties are ordered by id in the same direction."""

    column: str = "created_at"
    descending: bool = False


@frozen
class Question:
    """What one list call asks for, apart from its scope."""

    size: int
    order: Order
    predicates: tuple[Predicate, ...] = ()
    start: tuple[Value, str] | None = field(default=None)
    """The first row of this page, if it is not the first page."""


def question(
    query: Mapping[str, str], version: str, generation: Generation, default_size: int
) -> Question:
    """Read `page_size`, `sort_by`, `filter` and `page_token`.

    Args:
        query: The query parameters under their snake_case names.
        version: `v1beta1` or `v2beta1`: the filter's operator key differs.
        generation: Decides which keys exist.
        default_size: Rows a page when no size is asked for.

    Raises:
        Refusal: 400; 500 on G1 for a token that was tampered with.
    """
    size = _size(query.get("page_size"), default_size)
    order = _order(query.get("sort_by", ""), generation)
    predicates = _predicates(query.get("filter", ""), version, generation)
    token = query.get("page_token", "")
    if not token:
        return Question(size, order, predicates)
    kept = _open_token(token, generation)
    if query.get("sort_by") or query.get("filter"):
        _check_same(kept, order, predicates)
    return Question(size, kept.order, kept.predicates, kept.start)


def page(
    records: Iterable[RunRecord], asked: Question, generation: Generation
) -> tuple[list[RunRecord], int, str]:
    """The rows of a page, the number of all matches, and the next page's token."""

    def position(record: RunRecord) -> tuple[Any, str]:
        return _sortable(column(record, asked.order.column, generation)), record.id

    tests = [(predicate.key, _test(predicate)) for predicate in asked.predicates]
    matching = [
        record
        for record in records
        if all(test(column(record, key, generation)) for key, test in tests)
    ]
    matching.sort(key=position, reverse=asked.order.descending)
    rows = matching
    if asked.start:
        first = _sortable(asked.start[0]), asked.start[1]
        after = le if asked.order.descending else ge
        rows = [record for record in matching if after(position(record), first)]
    if len(rows) <= asked.size:
        return rows, len(matching), ""
    if asked.order.column in _ONE_PAGE_ORDERS:
        raise Refusal(INVALID, f"Cannot page in the order of {asked.order.column}.")
    following = rows[asked.size]
    value = column(following, asked.order.column, generation)
    return rows[: asked.size], len(matching), _token(asked, value, following.id)


def _size(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        size = int(text)
    except ValueError:
        raise _bad("page_size must be a whole number", gateway=True) from None
    if size < 0:
        raise _bad("The page size should not be negative.")
    return min(size or default, LARGEST_PAGE)


def _order(text: str, generation: Generation) -> Order:
    words = text.lower().split(" ") if text else []
    if not words:
        return Order()
    if len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
        raise _bad(f"sort_by must be 'field', 'field asc' or 'field desc': {text!r}")
    if words[0] not in keys(generation) and not words[0].startswith("metric:"):
        raise _bad(f"Runs cannot be sorted by {words[0]!r}.")
    return Order(words[0], descending=words[1:] == ["desc"])


def _predicates(
    text: str, version: str, generation: Generation
) -> tuple[Predicate, ...]:
    if not text:
        return ()
    # wire/kubeflow.md 5.2: the filter is form-decoded a second time
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise _bad("The filter has a % that does not start an escape.")
    try:
        sent = parse(filter_message(version), loads(unquote_plus(text)), strict=True)
    except Refusal as refusal:
        raise _bad(f"Invalid filter: {refusal.message}") from None
    found = []
    for predicate in sent.get("predicates", []):
        operation = predicate.pop("op", None) or predicate.pop("operation", "")
        key = predicate.pop("key", "")
        if key not in keys(generation):
            raise _bad(f"Runs cannot be filtered by {key!r}.")
        found.append(_predicate(operation, key, predicate))
    return tuple(found)


def _predicate(operation: str, key: str, values: Mapping[str, Json]) -> Predicate:
    if operation not in {*_COMPARE, "IN", "IS_SUBSTRING"}:
        raise _bad(f"The predicate on {key!r} has no usable operator.")
    if not values:
        raise _bad(f"The predicate on {key!r} has no value.")
    ((kind, value),) = values.items()
    if kind.endswith("_values"):
        value = value.get("values", [])
    if kind.endswith("_values") != (operation == "IN"):
        raise _bad(f"{operation} on {key!r} cannot be used with {kind}.")
    if operation == "IS_SUBSTRING" and kind != "string_value":
        raise _bad(f"IS_SUBSTRING on {key!r} needs a string_value.")
    return Predicate(operation, key, kind, value)


def _test(predicate: Predicate) -> Callable[[Value], bool]:
    """The predicate as a function of the column's value; made once for all rows."""
    wanted = predicate.value
    if predicate.operation == "IS_SUBSTRING":
        # SQL LIKE: % and _ are wildcards
        pattern = re.escape(wanted).replace("%", ".*").replace("_", ".")
        search = re.compile(pattern, re.IGNORECASE | re.DOTALL).search
        return lambda value: search(str(value)) is not None
    if predicate.operation != "IN":
        compare = _COMPARE[predicate.operation]
        return lambda value: bool(compare(*_alike(value, wanted)))
    texts = {str(item).casefold() for item in wanted}
    return lambda value: str(value).casefold() in texts


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values as the database compares them: numbers, or text in any case."""
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    try:
        return float(left), float(right)
    except ValueError:
        return str(left), str(right)


def _sortable(value: Value) -> tuple[bool, Any]:
    """Rows without a value come first."""
    return value is not None, value.casefold() if isinstance(value, str) else value or 0


def _token(asked: Question, value: Value, id_: str) -> str:
    """Sort, position and filter, but not the scope (wire/kubeflow.md 5.3)."""
    content = {
        "SortByFieldName": asked.order.column,
        "SortByFieldValue": value,
        "KeyFieldValue": id_,
        "IsDesc": asked.order.descending,
        "Filter": [[p.operation, p.key, p.kind, p.value] for p in asked.predicates],
    }
    return base64.b64encode(json.dumps(content).encode()).decode()


def _open_token(token: str, generation: Generation) -> Question:
    try:
        content = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        raise _bad("Invalid package token.") from None
    try:
        kept = Question(
            0,
            Order(content["SortByFieldName"], bool(content["IsDesc"])),
            tuple(Predicate(*entry) for entry in content["Filter"]),
            (content["SortByFieldValue"], content["KeyFieldValue"]),
        )
        named = {kept.order.column, *(p.key for p in kept.predicates)}
        columns = {name for name in named if not name.startswith("metric:")}
        usable = columns <= keys(generation)
    except (KeyError, TypeError, AttributeError):
        usable = False
    if not usable:
        code = INTERNAL if generation == "G1" else INVALID
        raise Refusal(code, "The page token names unknown columns.")
    return kept


def _check_same(
    kept: Question, order: Order, predicates: tuple[Predicate, ...]
) -> None:
    """Compare what is sent beside a token with what the token holds.

    Only scalar strings survive the token's JSON round trip with their type, so that
    any other filter never equals itself (wire/kubeflow.md 5.4).
    """
    comparable = all(predicate.kind == "string_value" for predicate in predicates)
    if order != kept.order or predicates != kept.predicates or not comparable:
        raise _bad(
            "The sort_by or filter differs from that of the page token; send the "
            "token without them."
        )


def _bad(message: str, *, gateway: bool = False) -> Refusal:
    return Refusal(INVALID, message, gateway=gateway)

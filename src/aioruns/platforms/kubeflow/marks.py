"""How far the logs of a run's nodes were read, and the position that says so.

A run may have hundreds of nodes, and a position goes into cursors. So a node that was
read to its end is told by six letters, and of many such nodes those that began a minute
or more before the youngest one by one time for all.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import parse_time
from aioruns.platforms.kubeflow.workflow import Node
from aioruns.seam import Position

_LETTERS = 6
"""Letters that tell a node, 36 bits."""

_FEW = 16
"""Ended nodes that are told one by one."""

_MARGIN = timedelta(seconds=60)
"""Nodes appear in the order in which they begin, but for what clocks differ by."""


@frozen
class Mark:
    """How far a node's log was read.

    Attributes:
        lines: Lines that were passed on.
        missed: Failed looks since the node ended.
        done: Whether it was read to its end.
    """

    lines: int = 0
    missed: int = 0
    done: bool = False


@lru_cache(4096)
def told(node_id: str, started: str) -> str:
    """The letters that tell a node; retried, it begins at another time."""
    digest = blake2b(f"{node_id} {started}".encode(), digest_size=_LETTERS).digest()
    return base64.urlsafe_b64encode(digest)[:_LETTERS].decode()


@frozen
class Marks:
    """The marks of a run.

    Attributes:
        unfinished: Letters and marks of nodes that were not read to their end, by id.
        done: Letters of nodes that were.
        before: Nodes that began before this time were, too, unless they are unfinished;
            empty if that is not known of any.
    """

    unfinished: Mapping[str, tuple[str, Mark]] = field(factory=dict)
    done: frozenset[str] = frozenset()
    before: str = ""

    def of(self, node: Node) -> Mark:
        """The mark of a node; one that was retried since has a log that starts anew."""
        letters, mark = self.unfinished.get(node.id, ("", None))
        if mark is not None:
            same = not letters or letters == _letters(node)
            return mark if same else Mark()
        old = bool(node.started) and node.started < self.before
        # A node that ended without having begun may be given a time later.
        done = {told(node.id, node.started), told(node.id, "")}
        return Mark(done=old or not done.isdisjoint(self.done))

    def with_marks(self, marks: Iterable[tuple[Node, Mark]]) -> "Marks":
        """These marks, and others in place of some of them."""
        unfinished, done = dict(self.unfinished), set(self.done)
        for node, mark in marks:
            if not mark.done:
                unfinished[node.id] = (_letters(node), mark)
                continue
            unfinished.pop(node.id, None)
            if not node.started or node.started >= self.before:
                done.add(told(node.id, node.started))
        return Marks(unfinished, frozenset(done), self.before)

    def folded(self, nodes: Iterable[Node]) -> "Marks":
        """The same marks, with fewer letters if they are many."""
        if len(self.done) <= _FEW:
            return self
        begun = [node for node in nodes if node.started]
        before = _earlier(max((node.started for node in begun), default=""))
        if before <= self.before:
            return self
        old = [node for node in begun if node.started < before]
        marks = {node.id: self.of(node) for node in old}
        open_ = {
            node.id: (_letters(node), marks[node.id])
            for node in old
            if not marks[node.id].done
        }
        # Letters of nodes that are not shown are kept: an old answer may show them.
        spared = {told(node.id, node.started) for node in old if marks[node.id].done}
        return Marks({**self.unfinished, **open_}, self.done - spared, before)

    def position(self) -> Position:
        """The position that holds these marks."""
        nodes = {
            node_id: [letters, mark.lines, mark.missed]
            if mark.missed
            else [letters, mark.lines]
            for node_id, (letters, mark) in self.unfinished.items()
        }
        position: Position = {"nodes": nodes}
        if self.done:
            position["done"] = "".join(sorted(self.done))
        if self.before:
            position["before"] = self.before
        return position


def read_marks(position: Position | None) -> Marks:
    """The marks in a position.

    Raises:
        InvalidInput: It is no position in a log of this platform.
    """
    try:
        given = position or {}
        unfinished = {
            str(node_id): (str(letters), Mark(int(lines), sum(map(int, missed))))
            for node_id, (letters, lines, *missed) in given.get("nodes", {}).items()
        }
        text, before = str(given.get("done", "")), str(given.get("before", ""))
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidInput(
            "this cursor does not say where in a Kubeflow log it stands: take one that "
            "the log stream of this run gave"
        ) from error
    done = {text[at : at + _LETTERS] for at in range(0, len(text), _LETTERS)}
    return Marks(unfinished, frozenset(done), before)


def _letters(node: Node) -> str:
    return told(node.id, node.started) if node.started else ""


def _earlier(started: str) -> str:
    """A time before the last beginning; empty for a text that cannot be compared."""
    if len(started) != len("2024-05-01T10:00:05Z") or started[-1] != "Z":
        return ""
    try:
        moment = parse_time(started) - _MARGIN
    except (ValueError, OverflowError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

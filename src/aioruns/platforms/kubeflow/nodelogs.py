"""From the log texts of a run's pods to new lines and a position.

Every answer is a pod's whole text so far, so what was seen is skipped by counting
lines. Lines and not bytes, because archived text has other line breaks than the live
one (wire/kubeflow.md 6.3).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from attrs import evolve, frozen

from aioruns.platforms.kubeflow.workflow import Node
from aioruns.seam import LogEvent, LogPage, Position, Status

_ERROR = '{"error_message":'
_ERROR_KEYS = frozenset({"error_message", "error_details"})

_ASKED = 5
"""Failed looks at the log of an ended node before it is taken to have none."""


@frozen
class LogText:
    """A log answer, taken apart.

    Attributes:
        lines: The complete lines.
        rest: What follows the last line break.
        error: Why the text is not all there; empty if it is.
    """

    lines: Sequence[str]
    rest: str = ""
    error: str = ""


@frozen
class Mark:
    """How far a node's log was read.

    Attributes:
        lines: Lines that were passed on.
        missed: Failed looks since the node ended.
        done: When the node began, if its log was read to the end; a node that began at
            another time was retried, and its log starts anew.
    """

    lines: int = 0
    missed: int = 0
    done: str | None = None


@frozen
class Reading:
    """New lines of a node, and the marks before and after them."""

    node: Node
    lines: Sequence[str]
    before: Mark
    after: Mark


def split_log(body: bytes) -> LogText:
    """Take a log answer apart.

    Errors come with status 200, glued to the text; a container that prints such an
    object last, without a line break, cannot be told from one (wire/kubeflow.md 6.3).
    """
    text = body.decode("utf-8", "replace")
    error = ""
    start = text.rfind(_ERROR)
    if start >= 0 and text.endswith("}"):
        try:
            value = orjson.loads(text[start:])
        except orjson.JSONDecodeError:
            value = {}
        if value and set(value) <= _ERROR_KEYS:
            error = str(value["error_message"]) or "unknown"
            text = text[:start]
    *lines, rest = text.split("\n")
    return LogText([line.removesuffix("\r") for line in lines], rest, error)


def read_marks(position: Position | None) -> dict[str, Mark]:
    """The marks in a position, by node id."""
    nodes = (position or {}).get("nodes", {})
    return {node_id: Mark(*values) for node_id, values in nodes.items()}


def write_marks(marks: Mapping[str, Mark]) -> Position:
    """The position that holds these marks."""
    return {
        "nodes": {
            node_id: [mark.lines, mark.missed, mark.done]
            if mark.done is not None
            else [mark.lines, mark.missed]
            if mark.missed
            else [mark.lines]
            for node_id, mark in marks.items()
        }
    }


def unread(
    nodes: Sequence[Node], marks: Mapping[str, Mark], *, run_ended: bool
) -> list[tuple[Node, Mark]]:
    """The nodes to ask for their log, each with where to go on.

    A node that waits for its pod has none yet; one that was read to its end is not
    asked again, unless it was retried since.
    """
    found = []
    for node in nodes:
        mark = marks.get(node.id, Mark())
        if mark.done is not None:
            if mark.done == node.started or not (mark.done and node.started):
                continue
            mark = Mark()
        if run_ended or node.phase not in {"", "Pending"}:
            found.append((node, mark))
    return found


def take(node: Node, before: Mark, text: LogText, *, run_ended: bool) -> Reading:
    """Find what is new in a node's log.

    The unfinished last line counts once the node has ended.
    """
    lines = list(text.lines)
    ended = node.ended or run_ended
    missed = before.missed + 1 if text.error and ended else 0
    # After its end a run is looked at twice; while it runs, archiving may take a while.
    given_up = missed >= (2 if run_ended else _ASKED)
    done = ended and (not text.error or given_up)
    if done and text.rest:
        lines.append(text.rest.removesuffix("\r"))
    after = Mark(max(before.lines, len(lines)), missed, node.started if done else None)
    return Reading(node, lines[before.lines :], before, after)


def make_page(
    readings: Sequence[Reading],
    marks: Mapping[str, Mark],
    received: datetime,
    status: Status,
) -> LogPage:
    """The new lines of all nodes as one page."""
    events = [
        LogEvent(received, line, reading.node.display_name)
        for reading in readings
        for line in reading.lines
    ]

    def after(count: int) -> Position:
        reached = dict(marks)
        for reading in readings:
            taken = min(count, len(reading.lines))
            count -= taken
            if taken == len(reading.lines):
                reached[reading.node.id] = reading.after
            elif taken:
                lines = reading.before.lines + taken
                reached[reading.node.id] = evolve(reading.before, lines=lines)
        return write_marks(reached)

    return LogPage(events, after, status=status)

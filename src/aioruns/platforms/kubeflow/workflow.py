"""The workflow manifest of a run: its nodes, their pods, outputs and messages."""

import base64
import binascii
import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson
from attrs import frozen

from aioruns.errors import Context, Unreadable
from aioruns.http.codec import parse_time
from aioruns.platforms.kubeflow.models.polling import Detail
from aioruns.platforms.kubeflow.server import Generation

_ENDED = frozenset({"Succeeded", "Skipped", "Failed", "Error", "Omitted"})
_BROKEN = frozenset({"Failed", "Error"})
_REASONS = 3
"""Messages of failed nodes that a run's reason names at most."""


@frozen
class Node:
    """A node of a workflow; those of kind `Pod` have logs (wire/kubeflow.md 6.4)."""

    id: str
    name: str = ""
    display_name: str = ""
    kind: str = ""
    template: str = ""
    phase: str = ""
    message: str = ""
    started: str = ""
    finished: str = ""
    outputs: tuple[tuple[str, str], ...] = ()
    children: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the node does nothing more."""
        return self.phase in _ENDED


@frozen
class Workflow:
    """What a run's workflow manifest says.

    Attributes:
        name: Name of the workflow object.
        message: What the controller says of the whole.
        started: When it began to run.
        terminated: Whether a user ended it (wire/kubeflow.md 4.2).
        pod_names: How pods are named: `v1`, `v2`, or empty when it does not say.
        nodes: In the order in which they started.
    """

    name: str = ""
    message: str = ""
    started: datetime | None = None
    terminated: bool = False
    pod_names: str = ""
    nodes: tuple[Node, ...] = ()

    @property
    def pods(self) -> list[Node]:
        """The nodes that have logs."""
        return [node for node in self.nodes if node.kind == "Pod"]

    @property
    def reason(self) -> str:
        """Why it failed: the messages of the nodes, else that of the whole."""
        broken = [node for node in self.pods if node.phase in _BROKEN and node.message]
        said = [
            node.message
            if node.id == self.name
            else f"{node.display_name}: {node.message}"
            for node in broken[:_REASONS]
        ]
        return "; ".join(said) or self.message

    def pod_name(self, node: Node, generation: Generation) -> str:
        """The name of a node's pod, which the log route wants as its node id.

        Argo before 3.4 names pods as nodes; later it puts the template's name in the
        middle. The workflow says which; where it does not, the generation tells.
        """
        named_as_nodes = self.pod_names == "v1" or (
            not self.pod_names and generation == "G1"
        )
        if named_as_nodes or node.id == self.name or not node.template:
            return node.id
        return f"{self.name}-{node.template}-{node.id.rpartition('-')[2]}"

    def outputs(self) -> dict[str, dict[str, str]]:
        """Output parameters of all nodes, by display name (or name, if not unique)."""
        having = [node for node in self.nodes if node.outputs]
        shared = Counter(node.display_name for node in having)
        return {
            node.name if shared[node.display_name] > 1 else node.display_name: dict(
                node.outputs
            )
            for node in having
        }


def workflow_of(detail: Detail) -> Workflow:
    """The workflow of a run; errors as of `read_workflow`."""
    text = detail.pipeline_runtime.workflow_manifest
    return read_workflow(text, detail.run.id)


def read_workflow(text: str, run_id: str = "") -> Workflow:
    """Read a `workflow_manifest`.

    Args:
        text: JSON text of an Argo workflow; may be empty before the first report.
        run_id: Whose it is, for the error.

    Raises:
        Unreadable: It is not JSON.
    """
    if not text:
        return Workflow()
    try:
        manifest = _object(orjson.loads(text))
        status = _object(manifest.get("status"))
        nodes = _nodes(status)
    except (ValueError, binascii.Error, OSError, EOFError, zlib.error) as error:
        raise Unreadable(
            f"the workflow manifest of run {run_id} cannot be read: {error}",
            Context(platform="kubeflow"),
        ) from error
    metadata = _object(manifest.get("metadata"))
    notes = _object(metadata.get("annotations"))
    deadline = _object(manifest.get("spec")).get("activeDeadlineSeconds")
    return Workflow(
        name=_text(metadata.get("name")),
        message=_text(status.get("message")),
        started=_time(status.get("startedAt")),
        terminated=deadline == 0 and deadline is not False,
        pod_names=_text(notes.get("workflows.argoproj.io/pod-name-format")),
        nodes=_in_order(nodes),
    )


def _nodes(status: Mapping[str, object]) -> list[Node]:
    nodes = status.get("nodes")
    packed = _text(status.get("compressedNodes"))
    if not nodes and packed:
        # wire/kubeflow.md 6.4: very large workflows carry their nodes in gzip
        nodes = orjson.loads(gzip.decompress(base64.b64decode(packed)))
    return [_node(key, _object(value)) for key, value in _object(nodes).items()]


def _node(key: str, value: Mapping[str, object]) -> Node:
    template = _text(value.get("templateName"))
    name = _text(value.get("name")) or key
    return Node(
        id=_text(value.get("id")) or key,
        name=name,
        display_name=_text(value.get("displayName")) or name,
        kind=_text(value.get("type")),
        template=template or _text(_object(value.get("templateRef")).get("template")),
        phase=_text(value.get("phase")),
        message=_text(value.get("message")),
        started=_text(value.get("startedAt")),
        finished=_text(value.get("finishedAt")),
        outputs=tuple(_parameters(_object(value.get("outputs")).get("parameters"))),
        children=tuple(_text(child) for child in _list(value.get("children"))),
    )


def _parameters(values: object) -> Iterable[tuple[str, str]]:
    for value in _list(values):
        entry = _object(value)
        yield _text(entry.get("name")), _text(entry.get("value"))


def _in_order(nodes: list[Node]) -> tuple[Node, ...]:
    """By start; times are whole seconds, so what follows from what decides the rest."""
    by_id = {node.id: node for node in nodes}
    rank: dict[str, int] = {}
    for root in by_id:
        stack = [(root, False)]
        while stack:
            node_id, left = stack.pop()
            if left:
                rank.setdefault(node_id, -len(rank))
            elif node_id in by_id and node_id not in rank:
                stack.append((node_id, True))
                # Reversed, so that siblings keep the order in which they are named.
                stack.extend((child, False) for child in by_id[node_id].children)
    return tuple(sorted(nodes, key=lambda node: (node.started or "~", rank[node.id])))


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None

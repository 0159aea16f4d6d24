"""What state polling keeps of answers: a few fields of many runs."""

from datetime import datetime
from typing import Any

import orjson
from attrs import define, field, frozen
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder

from aioruns.http.codec import Json, converter, parse_time, read_straight
from aioruns.platforms.kubeflow.models.times import EPOCH, when


@frozen
class Health:
    """What an API server says about itself (wire/kubeflow.md 1.6).

    Attributes:
        commit_sha: What it was built from.
        tag_name: Its release.
        multi_user: Whether runs belong to namespaces and callers need an identity.
        pipeline_store: Where it keeps pipelines; only recent releases say it.
    """

    commit_sha: str = ""
    tag_name: str = ""
    multi_user: bool = False
    pipeline_store: str = ""
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Empty:
    """The answer `{}` of operations without a result; a login page is none."""

    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class Row:
    """A run in a v1beta1 page."""

    id: str
    name: str = ""
    status: str = ""
    error: str = ""
    created_at: datetime | None = field(default=None, converter=when)
    finished_at: datetime | None = field(default=None, converter=when)


@frozen
class Rows:
    """A v1beta1 page."""

    runs: tuple[Row, ...] = ()


@frozen
class Runtime:
    """The workflow manifest of a run: JSON text of an Argo object, with status."""

    workflow_manifest: str = field(default="", repr=False)


@frozen
class Detail:
    """A run that was read singly by v1beta1, which alone has its workflow manifest."""

    run: Row
    pipeline_runtime: Runtime = field(factory=Runtime)
    raw: Json = field(factory=dict, repr=False, eq=False)


# Not frozen: that would double what it costs.
@define(eq=False)
class State:
    """How a run stands that was read singly; of `Detail` what that needs.

    Attributes:
        status: The server's word.
        error: Why the server cannot show the run.
        created_at: When it was created.
        finished_at: When it ended.
        manifest: Its workflow manifest.
    """

    status: str
    error: str
    created_at: datetime | None
    finished_at: datetime | None
    manifest: str = field(repr=False)


_detail = converter.get_structure_hook(Detail)


def _straight_state(body: bytes) -> State | None:
    """Read the usual shape by hand: 2 us instead of 7, and states are read often."""
    try:
        value = orjson.loads(body)
        run = value["run"]
        get = run.get
        status, error = get("status") or "", get("error") or ""
        manifest = value["pipeline_runtime"]["workflow_manifest"]
        created, finished = get("created_at"), get("finished_at")
        if type(run["id"]) is type(status) is type(error) is type(manifest) is str:
            return State(
                status,
                error,
                None if created is None else when(parse_time(created)),
                # The end of most runs that are asked for has not come.
                None
                if finished is None or finished == EPOCH
                else when(parse_time(finished)),
                manifest,
            )
    except (AttributeError, LookupError, TypeError, ValueError):
        pass
    return None


def _structure_state(value: Any, kind: Any) -> State:
    made: Detail = _detail(value, kind)
    run = made.run
    text = made.pipeline_runtime.workflow_manifest
    return State(run.status, run.error, run.created_at, run.finished_at, text)


read_straight(State, _straight_state)
converter.register_structure_hook(State, _structure_state)


# Not frozen: that would double what it costs, and every submission gets one.
@define
class Created:
    """What a submission needs of the answer to a v1beta1 creation."""

    id: str


class _Run(Struct, gc=False):
    id: str


class _Answer(Struct, gc=False):
    run: _Run


_decode_answer = Decoder(_Answer).decode


def _straight_created(body: bytes) -> Created | None:
    # Of the kilobyte that comes, no objects are made but these.
    try:
        return Created(_decode_answer(body).run.id)
    except MsgspecError:
        return None


def _structure_created(value: Any, kind: Any) -> Created:
    made: Detail = _detail(value, kind)  # says what is wrong and where
    return Created(made.run.id)


read_straight(Created, _straight_created)
converter.register_structure_hook(Created, _structure_created)


@frozen
class Transition:
    """A state of a v2beta1 run, and since when."""

    state: str = ""
    update_time: datetime | None = field(default=None, converter=when)


@frozen
class RowV2:
    """A run in a v2beta1 page."""

    run_id: str
    display_name: str = ""
    state: str = ""
    error: Json = field(factory=dict)
    created_at: datetime | None = field(default=None, converter=when)
    finished_at: datetime | None = field(default=None, converter=when)
    state_history: tuple[Transition, ...] = ()


@frozen
class CreatedV2:
    """What is needed of the answer to a v2beta1 creation."""

    run_id: str
    raw: Json = field(factory=dict, repr=False, eq=False)

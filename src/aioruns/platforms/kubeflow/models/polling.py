"""What state polling keeps of answers: a few fields of many runs."""

from datetime import datetime

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.kubeflow.models.times import when


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

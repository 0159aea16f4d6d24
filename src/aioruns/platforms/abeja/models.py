"""What the platform answers (wire/abeja.md 3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from attrs import field, frozen

from aioruns.http.codec import Json


def _object_or_text(value: object) -> object:
    """Take JSON text for the value in it: both forms occur (wire/abeja.md 3.1)."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


@frozen
class AbejaRun:
    """One run, as the platform describes it.

    Attributes:
        run_id: The run.
        deployment_id: Its deployment.
        status: `SUBMITTED`, `PENDING`, `RUNNABLE`, `STARTING`, `RUNNING`, `SUCCEEDED`,
            `FAILED`, or a word that is not documented.
        model_version_id: The version that it runs, `ver-...`.
        model_version: That version's number, such as `0.0.3`.
        models: `{"alias": model_id}` if a model was given.
        input_data: Operator and payload, or None.
        output_template: Operator and payload, or None.
        retry_count: How often the platform tries.
        user_env_vars: The `environment` of the submission.
        distribution: Chooses the queue; in the answer to a creation only.
        trigger_id: The trigger that started it, in a trigger's listing.
        created_at: When it was accepted.
        modified_at: When it changed last.
        raw: The object as it came.
    """

    run_id: str
    status: str
    deployment_id: str = ""
    model_version_id: str = ""
    model_version: str | None = None
    models: Any = None
    input_data: Any = field(default=None, converter=_object_or_text)
    output_template: Any = field(default=None, converter=_object_or_text)
    retry_count: int | None = None
    user_env_vars: Any = field(default=None, converter=_object_or_text, repr=False)
    distribution: int | None = None
    trigger_id: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunPage:
    """One page of a deployment's runs.

    Attributes:
        entries: The runs.
        next_page_token: Asks for the next page; None or empty at the end.
        raw: The object as it came.
    """

    entries: Sequence[AbejaRun] = ()
    next_page_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunRow:
    """As much of a run as polling needs: pages are read often."""

    run_id: str
    status: str
    created_at: datetime | None = None
    modified_at: datetime | None = None


@frozen
class RunRows:
    """A page of runs for polling."""

    entries: Sequence[RunRow] = ()
    next_page_token: str | None = None


@frozen
class MarkedRow:
    """As much of a run as finding a submission needs."""

    run_id: str
    created_at: datetime | None = None
    user_env_vars: Any = field(default=None, converter=_object_or_text, repr=False)


@frozen
class MarkedRows:
    """A page of runs for finding a submission."""

    entries: Sequence[MarkedRow] = ()
    next_page_token: str | None = None


@frozen
class LogLine:
    """One line of a log; the platform gives it no id (wire/abeja.md 3.3)."""

    message: str
    timestamp: datetime


@frozen
class RunLogs:
    """A page of a log from its start, oldest line first.

    Attributes:
        events: The lines.
        next_token: Asks for the next page; None or empty at the end.
        raw: The object as it came.
    """

    events: Sequence[LogLine] = ()
    next_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RecentLogs:
    """A page of a log from its end, newest line first whichever token was used.

    The tokens are always there; no lines mean that there is nothing more in that
    direction yet (wire/abeja.md 4.1).

    Attributes:
        events: The lines.
        next_forward_token: Asks for newer lines.
        next_backward_token: Asks for older lines.
        raw: The object as it came.
    """

    next_forward_token: str
    next_backward_token: str
    events: Sequence[LogLine] = ()
    raw: Json = field(factory=dict, repr=False, eq=False)

"""Runs as the platform describes them (wire/abeja.md 3.1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.abeja.models.text import object_or_text


@frozen
class AbejaRun:
    """One run, as the platform describes it.

    Attributes:
        run_id: The run.
        deployment_id: Its deployment.
        status: `SUBMITTED`, `PENDING`, `RUNNABLE`, `STARTING`, `RUNNING`, `SUCCEEDED`,
            `FAILED`, or a word that is not documented.
        model_version_id: The version that it runs, `ver-...`.
        model_version: That version's number, such as `0.0.3`; a trigger's listing
            leaves it out.
        models: `{"alias": model_id}` if a model was given.
        input_data: Operator and payload, or None.
        output_template: Operator and payload, or None.
        retry_count: How often the platform tries.
        user_env_vars: The `environment` of the submission.
        distribution: Chooses the queue; in the answer to a creation only.
        trigger_id: The trigger that started it, in a trigger's listing.
        created_at: When it was accepted.
        modified_at: When it changed last.
        raw: The object as it came. Objects that came as JSON text are text in it.
    """

    run_id: str
    status: str
    deployment_id: str = ""
    model_version_id: str = ""
    model_version: str | None = None
    models: Any = None
    input_data: Any = field(default=None, converter=object_or_text)
    output_template: Any = field(default=None, converter=object_or_text)
    retry_count: int | None = None
    user_env_vars: Any = field(default=None, converter=object_or_text, repr=False)
    distribution: int | None = None
    trigger_id: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunPage:
    """One page of a deployment's or a trigger's runs.

    Attributes:
        entries: The runs.
        next_page_token: Asks for the next page; None or empty at the end.
        raw: The object as it came.
    """

    # Without a default: an answer of another kind must not pass for an empty listing.
    entries: Sequence[AbejaRun]
    next_page_token: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

"""What the real manager does wrong, each behind a switch (wire/cloudify.md 9)."""

from typing import Self

import attrs
from attrs import Factory, define


@define
class Defects:
    """Switches for defects of the real manager; all are off.

    `facade.defects.should_start_fails = True` turns one on, and
    `facade.defects = Defects.all()` all of them.
    """

    should_start_fails: bool = False
    """`GET .../should-start` is always 500 (2.1)."""
    requeue_cancels: bool = False
    """`requeue` is a graceful cancel (3.2.2). Off: it puts what waits back in line."""
    kill_takes_ended: bool = False
    """`kill` moves ended executions to `kill_cancelling`, and so to `cancelled`
    (3.2.2). Off: it is refused as the other cancels are."""
    delete_refuses_status: bool = False
    """`DELETE /executions?status=...` is always 400 (2.7)."""
    keep_last_deletes_one: bool = False
    """`keep_last` at or above the matched count still deletes the oldest (2.7)."""
    lone_environment_breaks_delete: bool = False
    """A failed creation of an environment without a successful one makes
    `DELETE /executions` 500 (2.7)."""
    unknown_status_fails: bool = False
    """A filter by a status that does not exist is 500 (2.2). Off: nothing matches."""
    group_cancel_without_active: bool = False
    """A group's cancel with no active member is 404, after the queued ones were
    cancelled (3.4)."""
    group_cancel_half_applied: bool = False
    """A group's cancel with a member that is cancelling already is 400, after the
    queued ones were cancelled and before the others are (3.4). Off: it is skipped."""
    group_start_leaves_group: bool = False
    """A group start that is refused leaves the group, and for an unavailable workflow
    its executions, behind (2.6)."""
    start_leaves_failed: bool = False
    """A refused `POST /executions` leaves a `failed` execution in some cases (2.3)."""
    duplicate_ids: bool = False
    """Simultaneous POSTs with one id make several executions, and reading one of them
    is 409 (6.2)."""
    schedule_without_id: bool = False
    """The answer to a start with `scheduled_time` has no id and almost nothing else
    (2.5). Off: the id is that of the schedule."""
    cancelled_group_terminated: bool = False
    """A group whose members were all cancelled reads `terminated` (3.3). Off: it reads
    `cancelled`."""

    @classmethod
    def all(cls) -> Self:
        """Every defect that the real manager has."""
        return cls(**dict.fromkeys((field.name for field in attrs.fields(cls)), True))


@define
class Behaviour:
    """What can be switched while the server runs; all parts of the façade share it."""

    defects: Defects = Factory(Defects)
    event_delay: float = 0.0
    commit_delay: float = 0.0
    event_seed: int = 0

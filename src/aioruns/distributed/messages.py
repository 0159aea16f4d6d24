"""What the caller of a sweep and its workers say to each other: values that pickle."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from aioruns.errors import AiorunsError
from aioruns.platforms.connection import Connection
from aioruns.seam import RunRef, Status
from aioruns.sweeps.order import Policy


@frozen
class Terms:
    """What a worker is told once.

    Attributes:
        connection: How to make the platform's client.
        policy: What to do with orders; those who gave them count, repeat and give up.
        lease: Seconds without a word from the caller, after which the worker stops.
    """

    connection: Connection
    policy: Policy
    lease: float


@frozen
class Work:
    """An order as it is handed to a worker, where it stands.

    Attributes:
        number: By which reports name it.
        target: Application, pipeline or deployment.
        payload: The vendor's request body.
        given_key: The key that the spec has; None if one was made for it.
        key: The submission key.
        since: When the key may have been used first; None if it is new.
        ref: The run, if it is known to exist.
        status: How it ended, if only its result is wanted.
    """

    number: int
    target: str
    payload: Mapping[str, Any] = field(repr=False)
    given_key: str | None
    key: str
    since: datetime | None = None
    ref: RunRef | None = None
    status: Status | None = None


@frozen
class Submitted:
    """A run exists now."""

    number: int
    ref: RunRef


@frozen
class Ended:
    """There is nothing more to do for an order.

    Attributes:
        number: Which.
        status: How its run ended; None if that was not learnt.
        error: Why it went no further, or why there is no result.
        result: What the run produced.
    """

    number: int
    status: Status | None
    error: AiorunsError | None
    result: object = field(repr=False)


Report = Submitted | Ended


@frozen
class Answer:
    """What a worker says when it is called.

    Attributes:
        value: What was asked for.
        failure: What stopped all of its work, if something did.
        over: Whether it has stopped, so that nothing is to be expected of it.
    """

    value: object = None
    failure: BaseException | None = None
    over: bool = False


Reports = Sequence[Report]

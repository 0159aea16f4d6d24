"""Attributes of a handle that are known once what the platform keeps was read."""

from collections.abc import Callable
from typing import Generic, Protocol, Self, TypeVar, overload

from aioruns.errors import UsageError
from aioruns.platforms.nextmv.models.applications import ApplicationRecord

T = TypeVar("T")


class HasRecord(Protocol):
    """A handle, which may have been made without asking the platform."""

    id: str
    record: ApplicationRecord | None


class Recorded(Generic[T]):
    """An attribute that is read from the application's record.

    Args:
        read: Takes it from the record.
    """

    def __init__(self, read: Callable[[ApplicationRecord], T]) -> None:
        self._read = read
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, application: None, owner: type) -> Self: ...

    @overload
    def __get__(self, application: HasRecord, owner: type) -> T: ...

    def __get__(self, application: HasRecord | None, owner: type) -> Self | T:
        if application is None:
            return self
        return self._read(record_of(application, self._name))


def record_of(application: HasRecord, name: str) -> ApplicationRecord:
    """The application's record.

    Raises:
        UsageError: It was not read; `name` is what was asked for.
    """
    if application.record is None:
        raise UsageError(
            f"{name} of application {application.id!r} was not read: use the handle "
            "that `await Application.get(client, id)` returns"
        )
    return application.record

"""Values of which there is one for every run, request or line of a log."""

from typing import ClassVar

from msgspec import Struct


class Value(Struct, frozen=True):
    """A value that is cheap: made in a quarter of the time that a frozen class takes.

    With `gc=False` the garbage collector does not look at one either. That is for what
    cannot be part of a cycle: nothing in it may lead back to it.

    Attributes:
        hidden: Names of attributes that are not shown, since they are large or secret.
    """

    hidden: ClassVar[frozenset[str]] = frozenset()

    def __repr__(self) -> str:
        shown = [name for name in self.__struct_fields__ if name not in self.hidden]
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__name__}({told})"

"""Pages of lists (wire/cloudify.md 4.1)."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

from attrs import field, frozen

from aioruns.http.codec import Json

T = TypeVar("T")


@frozen
class Pagination:
    """Which part of a list a page is.

    Attributes:
        total: Rows that matched when this page was made.
        size: Rows that were asked for, not those that came.
        offset: Rows before this page.
    """

    total: int = 0
    size: int = 0
    offset: int = 0


@frozen
class Metadata:
    """What a page says of itself.

    Attributes:
        pagination: Which part of the list it is.
        raw: The object as it came.
    """

    pagination: Pagination = field(factory=Pagination)
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class ListResponse(Generic[T], Sequence[T]):  # noqa: PYI059 - the codec asks Generic
    """A page of a list: a sequence of its items.

    Attributes:
        items: The items.
        metadata: Which part of the whole list they are.
    """

    items: tuple[T, ...]
    metadata: Metadata = field(factory=Metadata)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.items[index]

    def one(self) -> T:
        """The only item.

        Raises:
            ValueError: There is none, or more than one.
        """
        if len(self.items) != 1:
            raise ValueError(f"one() was asked of a list with {len(self.items)} items")
        return self.items[0]

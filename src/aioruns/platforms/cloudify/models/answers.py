"""What all things that a manager answers have in common."""

from typing import Any

from attrs import field, frozen

from aioruns.http.codec import Json


@frozen
class Answer:
    """An object that the manager sent.

    The official client gives dictionaries, so `thing["key"]` and `thing.get("key")`
    read the object as it came, whether or not it has an attribute for that key.

    Attributes:
        raw: The object as it came.
    """

    raw: Json = field(factory=dict, repr=False, eq=False, kw_only=True)

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a key as it came, or the default if there is none."""
        return self.raw.get(name, default)

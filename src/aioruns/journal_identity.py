"""Which spec is which, in every process: a salted number instead of the payload."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from pathlib import PurePath
from typing import cast

import attrs
import orjson

from aioruns.errors import InvalidInput
from aioruns.runs import RunSpec

SALT_LENGTH = 32
"""Random bytes of a journal, without which nobody can try payloads."""

_64_BITS = (1 << 64) - 1


def identify(spec: RunSpec, salt: bytes) -> int:
    """The number by which a journal knows a spec again.

    Args:
        spec: Told by platform and target, and by its key or else by its payload.
        salt: The journal's own. Payloads may hold secrets that are easily guessed.

    Returns:
        64 bits, signed, as SQLite keeps integers. Among a hundred thousand specs, two
        share one with a probability of 3e-10.

    Raises:
        InvalidInput: The payload holds what cannot be told again in another process.
    """
    key = spec.key
    if key is None:
        made = _hash(salt, b"payload")
        made.update(_canonical(spec, spec.payload))
    else:
        made = _hash(salt, b"key")
        made.update(_canonical(spec, key))
    return int.from_bytes(made.digest(), "big", signed=True)


def derive_key(identity: int, repetition: int, attempt: int) -> str:
    """The submission key of an attempt, the same in every process.

    The identity is salted, so that two journals do not share one.
    """
    return f"aioruns-{identity & _64_BITS:016x}-{repetition}-{attempt}"


def _hash(salt: bytes, kind: bytes) -> blake2b:
    return _begun_hash(salt, kind).copy()


@lru_cache(8)
def _begun_hash(salt: bytes, kind: bytes) -> blake2b:
    """A hash that is copied: reading its arguments takes as long as the hashing."""
    return blake2b(digest_size=8, key=salt, person=kind)


def _canonical(spec: RunSpec, content: object) -> bytes:
    value = [spec.platform, spec.target, content]
    try:
        try:
            return orjson.dumps(value, _told, orjson.OPT_SORT_KEYS)
        except TypeError:
            # Keys that are no text are rare, and looking for them costs time.
            options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
            return orjson.dumps(value, _told, options)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"a spec for {spec.platform} cannot be known again in a journal, since its "
            f"payload has no stable text ({error.__cause__ or error}): give it a key, "
            "as in spec(..., key='case-1')"
        ) from error


def _told(value: object) -> object:
    """What JSON does not know, by its type and a text that is the same every time."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": blake2b(value, digest_size=16).hexdigest()}
    if isinstance(value, PurePath | Decimal | complex):
        return {type(value).__name__: str(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet):
        return {"set": sorted(map(_part, value))}
    if isinstance(value, Sequence):
        return list(value)
    if attrs.has(type(value)):
        kind = cast("type[attrs.AttrsInstance]", type(value))
        names = [one.name for one in attrs.fields(kind)]
        return {type(value).__qualname__: {n: getattr(value, n) for n in names}}
    raise TypeError(f"it holds a {type(value).__name__}")


def _part(value: object) -> str:
    return orjson.dumps(value, _told, orjson.OPT_SORT_KEYS).decode()

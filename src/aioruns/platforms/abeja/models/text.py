"""Objects that may come as JSON text (wire/abeja.md 3.1)."""

import orjson


def object_or_text(value: object) -> object:
    """Take JSON text of an object for the object; anything else stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    # Text of anything else is no operator, and would not survive being written again.
    return read if isinstance(read, dict) else value

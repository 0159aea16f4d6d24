"""Ids and names that are made when the caller gives none (wire/nextmv.md 3.5)."""

import re
import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits
_SLUG = 8
_LONGEST = 40


def slug() -> str:
    """Eight random characters from a-z and 0-9."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SLUG))


def safe_id(prefix: str) -> str:
    """A new id: the prefix, cut to 27 characters if it has more than 28, and a slug."""
    kept = prefix if len(prefix) <= 28 else prefix[:27]
    return f"{kept}-{slug()}"


def safe_name_and_id(prefix: str, entity: str) -> tuple[str, str]:
    """A name and an id that tell what they are made for.

    Args:
        prefix: What kind of thing it is, for example `inpset`.
        entity: What it is made for, for example `scenario-1`; only its ASCII letters
            and digits are used, and words that would make the id longer than 40
            characters are left out.

    Returns:
        Name and id; both empty if an argument is. The name has the slug as well, as
        that of the official client does.
    """
    if not prefix or not entity:
        return "", ""
    words = re.findall(r"[a-z0-9]+", entity.lower())
    budget = _LONGEST - 3 - len(prefix) - _SLUG - 1
    joined = prefix
    for word in words:
        part = word[: budget - 1] if len(word) > budget else word
        longer = f"{joined}-{part}"
        if len(longer) >= budget:
            break
        joined = longer
    made = f"{joined}-{slug()}"
    return " ".join(word.capitalize() for word in made.split("-")), made

"""Create a thing under an id that the client chose, so that it exists once.

The server refuses a second thing with the same id, but a caller whose first request was
not answered cannot tell that refusal from somebody else's thing. So the id is looked up
before anything is sent again (wire/nextmv.md 8.2).
"""

import logging
from collections.abc import Mapping

from aioruns.errors import CallError, NotFound, OutcomeUnknown
from aioruns.http.codec import Json
from aioruns.http.request import Request
from aioruns.platforms.client import Client

logger = logging.getLogger("aioruns.platforms.nextmv")

TRIES = 4
"""How often a creation in doubt is sent before its error is raised."""

SETTLE = (0.5, 1.5, 3.0)
"""Seconds before each further look for a thing whose creation is in doubt."""


async def create_once(
    client: Client, collection: str, one: str, body: Mapping[str, object]
) -> Json:
    """Create a thing, whatever the network does.

    An older thing passes for the new one if it has the same id, name and description;
    that is asked only after a request whose outcome is not known.

    Args:
        client: Sends the requests.
        collection: Path of all things of this kind.
        one: Path of the thing.
        body: What to send, with the id.

    Returns:
        The answer to the creation, or the thing as it was found.

    Raises:
        CallError: The platform refused, or whether it acted stayed unknown.
    """
    request = Request("POST", collection, Json, json=dict(body))
    for attempt in range(1, TRIES + 1):
        try:
            return await client.send(request)
        except CallError as error:
            # A repetition may be refused because the attempt before it acted after all.
            if attempt == 1 and not error.maybe_acted:
                raise
            logger.info("looking for %s after: %s", one, error)
            found = await _settle(client, one, body, error)
            if found is not None:
                return found
            if attempt == TRIES or not error.maybe_acted:
                raise
    raise AssertionError


async def _settle(
    client: Client, one: str, body: Mapping[str, object], doubt: CallError
) -> Json | None:
    """Look for the thing, wait, and look again."""
    failure: CallError | None = None
    for seconds in (None, *SETTLE):
        if seconds is not None:
            await client.session.clock.sleep(seconds)
        try:
            found = await client.send(Request("GET", one, Json))
        except NotFound:
            failure = None
        except CallError as error:
            failure = error
        else:
            return found if _same(found, body) else None
    if failure is not None:
        raise OutcomeUnknown(
            f"whether {one} was created is not known: {doubt.args[0]}; and it could "
            f"not be looked for: {failure.args[0]}",
            doubt.context,
        ) from failure
    return None


def _same(found: Json, body: Mapping[str, object]) -> bool:
    return all(
        found.get(name) == body[name]
        for name in ("id", "name", "description")
        if name in body
    )

"""What `dump` gives and `restore` takes, of any resource."""

import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any

from aioruns.errors import CallError, InvalidInput
from aioruns.http.codec import Json
from aioruns.http.request import Request, path
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify.models import ListResponse
from aioruns.platforms.cloudify.paging import rows
from aioruns.platforms.cloudify.queries import included, pairs

_LOGGER = logging.getLogger("aioruns.platforms.cloudify")


async def dump(
    client: Client,
    collection: str,
    fields: Sequence[str],
    wanted: Collection[str] | None,
    asked: Mapping[str, object],
) -> AsyncIterator[Json]:
    """Read all things of a collection.

    Args:
        client: Sends the requests.
        collection: Its path.
        fields: What to ask for and to give.
        wanted: Ids of those to give; without any, all.
        asked: What to ask for besides.

    Yields:
        The things as dictionaries.
    """
    asked = {**asked, "_sort": ["created_at", "id"], "_include": included(fields)}

    async def read(offset: int) -> ListResponse[Json]:
        query = pairs({**asked, "_offset": offset})
        return await client.send(
            Request("GET", path(collection), ListResponse[Json], query)
        )

    def name(row: Json) -> tuple[str, str]:
        # The ids of schedules are unique within their deployments only.
        return str(row.get("deployment_id")), str(row.get("id"))

    async for row in rows(read, name):
        if not wanted or row.get("id") in wanted:
            yield {field: row[field] for field in fields if field in row}


async def restore(
    entities: Iterable[Mapping[str, Any]],
    logger: logging.Logger | None,
    create: Callable[[Json], Awaitable[object]],
) -> None:
    """Create things one after the other; log those that are refused.

    Args:
        entities: What was dumped.
        logger: Where to log; None is our own.
        create: Creates one, from a copy of its own.
    """
    for entity in entities:
        try:
            await create(dict(entity))
        except (CallError, InvalidInput) as error:
            (logger or _LOGGER).error("not restored: %s: %s", entity["id"], error)

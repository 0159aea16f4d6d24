"""The runs of a batch experiment, which one request reads (wire/nextmv.md 8.1).

They have a target of their own, made of application and experiment, so that all waits
for them share that one request.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, unquote

from attrs import frozen

from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.things import Paths

_MARK = "?batch="


@frozen
class BatchRow:
    """What the list of a batch's runs says of one of them, as far as it is used here.

    Of many runs it is read again and again, so it has no more than is needed.
    """

    id: str
    status_v2: str = ""
    created_at: datetime | None = None
    application_instance_id: str = ""
    input_id: str = ""
    option_set: str = ""
    repetition: int = 0


@frozen
class _Rows:
    runs: list[BatchRow] | None = None


def batch_target(app_id: str, batch_id: str) -> str:
    """The target of a batch's runs, for example `routing?batch=nightly`."""
    return f"{quote(app_id, safe='')}{_MARK}{quote(batch_id, safe='')}"


def parted(target: str) -> tuple[str, str | None]:
    """The application of a target, and the batch experiment, if it is that of one."""
    if _MARK not in target:
        return target, None
    app_id, _, batch_id = target.partition(_MARK)
    return unquote(app_id), unquote(batch_id)


async def batch_rows(client: Client, app_id: str, batch_id: str) -> Sequence[BatchRow]:
    """Read all runs of a batch.

    Raises:
        NotFound: There is no such batch, or not any more.
    """
    paths = Paths(app_id, ("experiments", "batch"))
    answer = await client.send(Request("GET", paths.one(batch_id, "runs"), _Rows))
    return answer.runs or []

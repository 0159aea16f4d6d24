"""What shadow and switchback tests share: they are started and stopped."""

from aioruns.errors import InvalidInput
from aioruns.http.request import Request
from aioruns.platforms.nextmv.models.online_tests import StopIntent
from aioruns.platforms.nextmv.things import Things


async def start(things: Things, test_id: str) -> None:
    """Start a test; starting it twice does no more."""
    await things.client.send(Request("PUT", things.paths.one(test_id, "start")))


async def stop(things: Things, test_id: str, intent: StopIntent | str) -> None:
    """Stop a test.

    Raises:
        InvalidInput: The intent is none.
    """
    if intent not in set(StopIntent):
        raise InvalidInput(
            f"the intent is {intent!r}; choose one of {', '.join(StopIntent)}"
        )
    address = things.paths.one(test_id, "stop")
    await things.client.send(Request("PUT", address, json={"intent": str(intent)}))

"""Shadow tests of an application (wire/nextmv.md 3.13)."""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import online_tests
from aioruns.platforms.nextmv.experiment_reading import runs_of
from aioruns.platforms.nextmv.models.online_tests import (
    ShadowTest,
    ShadowTestMetadata,
    StartEvents,
    StopIntent,
    TerminationEvents,
    TestComparison,
)
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


class Shadows:
    """Makes, starts and stops shadow tests; reached as `application.shadows`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._things = Things(client, Paths(app_id, ("experiments", "shadow")))

    async def shadow_test(self, shadow_test_id: str) -> ShadowTest:
        """Read a shadow test and its runs.

        Raises:
            NotFound: There is none with this id.
        """
        test = await self._things.get(shadow_test_id, ShadowTest)
        return evolve(test, runs=await runs_of(self._things, shadow_test_id))

    async def shadow_test_metadata(self, shadow_test_id: str) -> ShadowTestMetadata:
        """Read where a shadow test stands.

        Raises:
            NotFound: There is none with this id.
        """
        address = self._things.paths.one(shadow_test_id, "metadata")
        return await self._client.send(Request("GET", address, ShadowTestMetadata))

    async def list_shadow_tests(self, no_pagination: bool = False) -> list[ShadowTest]:
        """Read all shadow tests.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(ShadowTest, no_pagination=no_pagination)

    async def new_shadow_test(
        self,
        comparisons: Sequence[TestComparison | Mapping[str, Any]],
        termination_events: TerminationEvents,
        shadow_test_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        start_events: StartEvents | None = None,
    ) -> ShadowTest:
        """Make a shadow test; it runs once it is started.

        Args:
            comparisons: Who is compared to whom; objects are sent as they are.
            termination_events: When it ends by itself.
            shadow_test_id: The test's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            start_events: When it starts by itself; else `start_shadow_test` starts it.

        Raises:
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        test_id = shadow_test_id or safe_id("shadow")
        body = given(
            id=test_id,
            name=name or test_id,
            comparisons=comparisons,
            termination_events=termination_events,
            description=description,
            start_events=start_events,
        )
        return await self._things.new(body, ShadowTest)

    async def start_shadow_test(self, shadow_test_id: str) -> None:
        """Start a shadow test."""
        await online_tests.start(self._things, shadow_test_id)

    async def stop_shadow_test(
        self, shadow_test_id: str, intent: StopIntent | str
    ) -> None:
        """Stop a shadow test.

        Args:
            shadow_test_id: Which one.
            intent: Whether it is complete, or canceled.
        """
        await online_tests.stop(self._things, shadow_test_id, intent)

    async def update_shadow_test(
        self,
        shadow_test_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> ShadowTest:
        """Change name or description.

        Args:
            shadow_test_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        changes = given(name=name, description=description)
        return await self._things.patch(shadow_test_id, changes, ShadowTest)

    async def delete_shadow_test(self, shadow_test_id: str) -> None:
        """Delete a shadow test with its runs."""
        await self._things.delete(shadow_test_id)

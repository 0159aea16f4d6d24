"""Switchback tests of an application (wire/nextmv.md 3.13)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve

from aioruns.errors import InvalidInput
from aioruns.http.request import Request
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import online_tests
from aioruns.platforms.nextmv.experiment_reading import runs_of
from aioruns.platforms.nextmv.models.online_tests import (
    StopIntent,
    SwitchbackTest,
    SwitchbackTestMetadata,
    TestComparisonSingle,
)
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given

_LONGEST_UNIT = 10080
"""Minutes: a week."""

_MOST_UNITS = 1000


class Switchbacks:
    """Makes, starts and stops switchback tests; reached as `application.switchbacks`.

    Args:
        client: The platform.
        app_id: The application.
    """

    def __init__(self, client: Client, app_id: str) -> None:
        self._client = client
        self._things = Things(client, Paths(app_id, ("experiments", "switchback")))

    async def switchback_test(self, switchback_test_id: str) -> SwitchbackTest:
        """Read a switchback test and its runs.

        Raises:
            NotFound: There is none with this id.
        """
        test = await self._things.get(switchback_test_id, SwitchbackTest)
        return evolve(test, runs=await runs_of(self._things, switchback_test_id))

    async def switchback_test_metadata(
        self, switchback_test_id: str
    ) -> SwitchbackTestMetadata:
        """Read where a switchback test stands.

        Raises:
            NotFound: There is none with this id.
        """
        address = self._things.paths.one(switchback_test_id, "metadata")
        return await self._client.send(Request("GET", address, SwitchbackTestMetadata))

    async def list_switchback_tests(
        self, no_pagination: bool = False
    ) -> list[SwitchbackTest]:
        """Read all switchback tests.

        Args:
            no_pagination: Ask for all of them in one answer.
        """
        return await self._things.list(SwitchbackTest, no_pagination=no_pagination)

    async def new_switchback_test(
        self,
        comparison: TestComparisonSingle | Mapping[str, Any],
        unit_duration_minutes: float,
        units: int,
        switchback_test_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
        start: datetime | None = None,
    ) -> SwitchbackTest:
        """Make a switchback test; it runs once it is started.

        Args:
            comparison: Who takes turns with whom; an object is sent as it is.
            unit_duration_minutes: Minutes of each turn, 1 to 10080.
            units: Turns, 1 to 1000.
            switchback_test_id: The test's id; made up if not given.
            name: Name for people; the id if not given.
            description: Text for people.
            start: When it starts by itself; else `start_switchback_test` starts it.

        Raises:
            InvalidInput: Duration or number of the turns is not in its bounds.
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        if not 1 <= unit_duration_minutes <= _LONGEST_UNIT:
            raise InvalidInput(
                f"unit_duration_minutes must be from 1 to {_LONGEST_UNIT}, not "
                f"{unit_duration_minutes}"
            )
        if not 1 <= units <= _MOST_UNITS:
            raise InvalidInput(f"units must be from 1 to {_MOST_UNITS}, not {units}")
        test_id = switchback_test_id or safe_id("switchback")
        body = given(
            id=test_id,
            name=name or test_id,
            comparison=comparison,
            generate_random_plan=given(
                unit_duration_minutes=unit_duration_minutes,
                units=units,
                # As it is: without a zone if it has none.
                start=None if start is None else start.isoformat(),
            ),
            description=description,
        )
        return await self._things.new(body, SwitchbackTest)

    async def start_switchback_test(self, switchback_test_id: str) -> None:
        """Start a switchback test."""
        await online_tests.start(self._things, switchback_test_id)

    async def stop_switchback_test(
        self, switchback_test_id: str, intent: StopIntent | str
    ) -> None:
        """Stop a switchback test.

        Args:
            switchback_test_id: Which one.
            intent: Whether it is complete, or canceled.
        """
        await online_tests.stop(self._things, switchback_test_id, intent)

    async def update_switchback_test(
        self,
        switchback_test_id: str,
        name: str | None = None,
        description: str | None = None,
    ) -> SwitchbackTest:
        """Change name or description.

        Args:
            switchback_test_id: Which one.
            name: The new name; None keeps it.
            description: The new description; None keeps it.
        """
        changes = given(name=name, description=description)
        return await self._things.patch(switchback_test_id, changes, SwitchbackTest)

    async def delete_switchback_test(self, switchback_test_id: str) -> None:
        """Delete a switchback test with its runs."""
        await self._things.delete(switchback_test_id)

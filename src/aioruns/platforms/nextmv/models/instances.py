"""Instances of an application (wire/nextmv.md 4.6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.configuration import RunQueuing
from aioruns.platforms.nextmv.models.formats import Format

_INTEGRATION = "integration"


@frozen
class InstanceConfiguration:
    """What every run of an instance is given.

    Attributes:
        execution_class: Kind of machine.
        format: How inputs and outputs are written.
        options: Options of the runs, under those that a run names itself.
        secrets_collection_id: Secrets for the runs' environment.
        queuing: Priority in the queue.
        integration_id: An integration that runs the instance; it settles the execution
            class, and only the input's format stays.
    """

    execution_class: str | None = None
    format: Format | None = None
    options: Mapping[str, Any] | None = None
    secrets_collection_id: str | None = None
    queuing: RunQueuing | None = None
    integration_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    def for_request(self) -> "InstanceConfiguration":
        """What is sent.

        Raises:
            InvalidInput: An integration and another execution class are named.
        """
        if self.integration_id is None:
            return self
        if self.execution_class not in {None, "", _INTEGRATION}:
            raise InvalidInput(
                "an instance with an integration has execution class "
                f"{_INTEGRATION!r}, not {self.execution_class!r}"
            )
        written = None
        if self.format is not None:
            written = Format(format_input=self.format.format_input)
        return evolve(self, execution_class=_INTEGRATION, format=written)


@frozen
class Instance:
    """A version of an application with a configuration, ready for runs."""

    id: str
    application_id: str = ""
    version_id: str = ""
    name: str = ""
    description: str = ""
    configuration: InstanceConfiguration = field(factory=InstanceConfiguration)
    locked: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

"""What a run is configured with (wire/nextmv.md 4.3)."""

from enum import StrEnum

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json, key
from aioruns.platforms.nextmv.models.formats import Format

_INTEGRATION = "integration"


class RunType(StrEnum):
    """What kind of run it is."""

    STANDARD = "standard"
    EXTERNAL = "external"
    ENSEMBLE = "ensemble"
    ENSEMBLE_CHILD = "ensemble-child"


def _unless_empty(value: str | None) -> str | None:
    return value or None


@frozen
class RunTypeConfiguration:
    """What kind of run it is, and what defines it.

    Attributes:
        run_type: The kind; empty text is read as None.
        definition_id: For example the ensemble definition.
        reference_id: What the run refers to.
    """

    run_type: RunType | str | None = field(
        default=None, converter=_unless_empty, metadata=key("type")
    )
    definition_id: str | None = None
    reference_id: str | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class RunQueuing:
    """How a run waits for its turn.

    Attributes:
        priority: From 1, the first, to 9, the last.
        disabled: Whether the run must not be queued at all.

    Raises:
        InvalidInput: The priority is not from 1 to 9, or `disabled` not a boolean.
    """

    priority: int | None = None
    disabled: bool | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.priority is not None and not 1 <= self.priority <= 9:
            raise InvalidInput(
                f"the priority of a run must be from 1 to 9, not {self.priority}"
            )
        if self.disabled not in {None, True, False}:
            raise InvalidInput(f"disabled must be a boolean, not {self.disabled!r}")


@frozen
class RunConfiguration:
    """What a run is executed with.

    Attributes:
        execution_class: The kind of machine.
        format: How input and output are written.
        run_type: What kind of run it is.
        secrets_collection_id: Secrets that the run may read.
        queuing: How the run waits for its turn.
        integration_id: An integration that executes the run; it has an execution class
            of its own, `integration`.

    Raises:
        InvalidInput: An integration together with another execution class.
    """

    execution_class: str | None = None
    format: Format | None = None
    run_type: RunTypeConfiguration | None = None
    secrets_collection_id: str | None = None
    queuing: RunQueuing | None = None
    integration_id: str | None = None

    def __attrs_post_init__(self) -> None:
        if not self.integration_id:
            return
        if self.execution_class not in {None, "", _INTEGRATION}:
            raise InvalidInput(
                f"a run of integration {self.integration_id!r} has the execution class "
                f"{_INTEGRATION!r}: leave execution_class out"
            )
        object.__setattr__(self, "execution_class", _INTEGRATION)

    def is_ensemble(self) -> bool:
        """Whether this starts an ensemble run, which takes no instance."""
        kind = self.run_type
        return (
            kind is not None
            and kind.run_type == RunType.ENSEMBLE
            and bool(kind.definition_id)
        )

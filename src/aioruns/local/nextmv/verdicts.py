"""How a run ended, where the engine cannot know: was the output what was promised?"""

from attrs import define, field, frozen

from aioruns.local.engine import Engine
from aioruns.local.nextmv.answers import PLATFORM, parsed
from aioruns.local.records import Json, RunRecord, State


@frozen
class Verdict:
    """The state of a run as this platform tells it."""

    state: State
    error: str = ""
    output_size: int = 0
    """Bytes; 0 unless the run succeeded."""
    figures: dict[str, Json] = field(factory=dict)
    """`metrics` and `statistics` of the output, if it has them."""


@define
class Verdicts:
    """Looks at the output of a run that succeeded, once, before anybody sees that.

    All who show the state of a run must ask here, or they would say `succeeded` first
    and `failed` later.
    """

    engine: Engine
    _known: dict[str, Verdict] = field(factory=dict)

    async def of(self, record: RunRecord) -> Verdict:
        """The verdict on a run as it stands."""
        if record.state is State.FAILED:
            return Verdict(State.FAILED, record.error or "The program failed.")
        if record.state is not State.SUCCEEDED:
            return Verdict(record.state)
        if record.id not in self._known:
            self._known[record.id] = await self._look(record)
        return self._known[record.id]

    def forget(self, run_id: str) -> None:
        """The run is gone."""
        self._known.pop(run_id, None)

    async def _look(self, record: RunRecord) -> Verdict:
        output = await self.engine.stdout(PLATFORM, record.id) or b""
        if record.detail["format"]["output"]["type"] != "json":
            return Verdict(State.SUCCEEDED, output_size=len(output))
        try:
            value = await parsed(output)
        except ValueError as error:
            told = f"it is not JSON: {error}" if output.strip() else "it is empty"
            return Verdict(
                State.FAILED,
                "The program ended well, but its standard output cannot be the output "
                f"of the run, because {told}. Print one JSON value to standard output "
                "and everything else to standard error.",
            )
        figures = {}
        if isinstance(value, dict):
            names = ("metrics", "statistics")
            figures = {k: value[k] for k in names if isinstance(value.get(k), dict)}
        return Verdict(State.SUCCEEDED, "", len(output), figures)

"""All experiments of the façade, put together."""

from attrs import frozen

from aioruns.local.nextmv.acceptance import Acceptances
from aioruns.local.nextmv.batches import Batches
from aioruns.local.nextmv.desk import Desk
from aioruns.local.nextmv.experiments import Experiments
from aioruns.local.nextmv.launching import Launcher
from aioruns.local.nextmv.mirroring import Mirror
from aioruns.local.nextmv.online import OnlineTests
from aioruns.local.nextmv.shadow import Shadow
from aioruns.local.nextmv.starting import Starter
from aioruns.local.nextmv.switchback import Switchback
from aioruns.local.nextmv.verdicts import Verdicts

Resource = Batches | Acceptances | OnlineTests


@frozen
class Laboratory:
    """The handlers of experiments, and what they do to runs that people start."""

    resources: tuple[Resource, ...]
    mirror: Mirror


def laboratory(desk: Desk, starter: Starter, verdicts: Verdicts) -> Laboratory:
    """Put the experiments together."""

    def book(kind: str, word: str, *types: str) -> Experiments:
        return Experiments(desk, verdicts, kind, word, types)

    plain = book("batch", "batch experiment", "batch", "scenario")
    batches = Batches(plain, Launcher(plain, starter))
    acceptances = Acceptances(book("acceptance", "acceptance test"), batches)
    shadows = OnlineTests(
        book("shadow", "shadow test", "shadow"),
        Shadow(),
        legacy_items=False,
        cancel_runs=True,
    )
    switchbacks = OnlineTests(
        book("switchback", "switchback test", "switchback"),
        Switchback(),
        # Only here the official client expects an object from a list without pages.
        legacy_items=True,
        # Its runs are those that people started anyway.
        cancel_runs=False,
    )
    return Laboratory(
        resources=(batches, acceptances, shadows, switchbacks),
        mirror=Mirror(starter, shadows, switchbacks),
    )

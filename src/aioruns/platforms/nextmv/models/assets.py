"""What belongs to a run's output (wire/nextmv.md 4.2)."""

from attrs import field, frozen

from aioruns.http.codec import Json
from aioruns.platforms.nextmv.models.outputs import Visual


@frozen
class RunAsset:
    """Something that belongs to a run's output, without its content.

    Attributes:
        id: The asset's id.
        run_id: The run that it belongs to.
        name: Name for people.
        created_at: When it was made, as the platform writes it.
        size: Bytes.
        content_type: For example `json`.
        visual: How it is drawn in the console.
    """

    id: str
    run_id: str = ""
    name: str = ""
    created_at: str = ""
    size: int = 0
    content_type: str = ""
    visual: Visual | None = None
    raw: Json = field(factory=dict, repr=False, eq=False)


@frozen
class AssetPage:
    """All assets of a run."""

    items: list[RunAsset] = field(factory=list)

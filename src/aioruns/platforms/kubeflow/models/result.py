"""What a run produced."""

from attrs import field, frozen

from aioruns.http.codec import Json


@frozen
class RunResult:
    """What a run produced.

    Attributes:
        status: The server's word for how it ended.
        outputs: Output parameters: node display name -> parameter -> value as text. A
            display name that several nodes share is replaced by their full names.
        raw: The run's detail as it came, with the workflow manifest as text.
    """

    status: str
    outputs: dict[str, dict[str, str]]
    raw: Json = field(factory=dict, repr=False, eq=False)

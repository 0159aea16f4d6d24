"""Runs beside each other (wire/nextmv.md 3.13)."""

from typing import Any

from attrs import frozen


@frozen
class ComparisonValues:
    """One property of several runs.

    Attributes:
        has_differences: Whether not all of the runs have the same.
        values: What each run has, by run id.
    """

    has_differences: bool
    values: dict[str, Any]


Compared = dict[str, ComparisonValues]
"""Properties by name."""


@frozen
class RunComparison:
    """Runs beside each other.

    Attributes:
        run_ids: The runs.
        information: Names, descriptions, submitters.
        metadata: States, times, sizes and settings.
        metrics: What the runs say of themselves; None if none does.
        options: Their options; None if none has any.
    """

    run_ids: list[str]
    information: Compared
    metadata: Compared
    metrics: Compared | None = None
    options: Compared | None = None

    def to_flat_dict(self) -> dict[str, Any]:
        """Values by part, property and run id, without the verdicts."""
        flat: dict[str, Any] = {"run_ids": self.run_ids}
        for part in ("information", "metadata", "metrics", "options"):
            compared: Compared | None = getattr(self, part)
            if compared is not None:
                flat[part] = {name: values.values for name, values in compared.items()}
        return flat

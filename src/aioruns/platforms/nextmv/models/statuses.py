"""Where a run stands, in the platform's words (wire/nextmv.md 4.4)."""

from enum import StrEnum


class StatusV2(StrEnum):
    """Where a run stands."""

    none = "none"
    queued = "queued"
    running = "running"
    succeeded = "succeeded"
    failed = "failed"
    canceled = "canceled"


class Status(StrEnum):
    """The older words, which have none for queued and canceled runs."""

    running = "running"
    succeeded = "succeeded"
    failed = "failed"


FINAL = frozenset({StatusV2.succeeded, StatusV2.failed, StatusV2.canceled})
"""The run has ended."""

"""Runs that were executed elsewhere and are registered (wire/nextmv.md 4.3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from os import PathLike
from typing import Any, overload

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.nextmv.jsontext import json_text
from aioruns.platforms.nextmv.models.inputs import Input
from aioruns.platforms.nextmv.models.outputs import Asset, Output, Statistics

TrackedInput = Input | Mapping[str, Any] | Sequence[Any] | str
TrackedOutput = Output | Mapping[str, Any] | Sequence[Any] | str


class TrackedRunStatus(StrEnum):
    """How a tracked run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@frozen
class ExternalRunResult:
    """What became of a run that was executed elsewhere.

    Attributes:
        output_upload_id: The upload that holds its output.
        error_upload_id: The upload that holds its log.
        status: `succeeded` or `failed`.
        error_message: Why it failed.
        execution_duration: Milliseconds.
        statistics_upload_id: The upload that holds its statistics.
        metrics_upload_id: The upload that holds its metrics.
        assets_upload_id: The upload that holds its assets.

    Raises:
        InvalidInput: The status is another one.
    """

    output_upload_id: str | None = None
    error_upload_id: str | None = None
    status: str | None = None
    error_message: str | None = None
    execution_duration: int | None = None
    statistics_upload_id: str | None = None
    metrics_upload_id: str | None = None
    assets_upload_id: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.status is not None:
            tracked_status(self.status)


def tracked_status(text: object) -> TrackedRunStatus:
    """Read the status of a tracked run.

    Raises:
        InvalidInput: It is another one.
    """
    try:
        return TrackedRunStatus(text)  # type: ignore[arg-type]  # None raises, too
    except ValueError:
        raise InvalidInput(
            f"a tracked run has {' or '.join(TrackedRunStatus)}, not {text!r}"
        ) from None


@frozen(init=False)
class TrackedRun:
    """A run that was executed elsewhere, to be registered with `track_run`.

    The older order of arguments, `TrackedRun(input, output, status, ...)`, is
    understood too.

    Attributes:
        status: How it ended.
        input: A JSON value, text, or an `Input`.
        output: A JSON value, text, or an `Output`.
        duration: Milliseconds; see `run_duration`.
        error: Why it failed; only with the status `failed`.
        logs: Its log, as text or as lines.
        name: Name for people.
        description: Text for people.
        input_dir_path: Directory with the input's files, instead of `input`.
        output_dir_path: Directory with the output's files, instead of `output`.
        statistics: Figures in the older form.
        metrics: Figures by name.
        assets: What belongs to the output.

    Raises:
        InvalidInput: The status is none of the two, an error is given for a run that
            succeeded, data cannot be written as JSON, or data and a directory are both
            given, of which one would be lost.
    """

    status: TrackedRunStatus
    input: TrackedInput | None = field(default=None, repr=False)
    output: TrackedOutput | None = field(default=None, repr=False)
    duration: int | None = None
    error: str | None = None
    logs: str | Sequence[str] | None = field(default=None, repr=False)
    name: str | None = None
    description: str | None = None
    input_dir_path: str | PathLike[str] | None = None
    output_dir_path: str | PathLike[str] | None = None
    statistics: Statistics | Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    assets: Sequence[Asset | Mapping[str, Any]] | Mapping[str, Any] | None = None

    @overload
    def __init__(
        self,
        status: TrackedRunStatus | str,
        input: TrackedInput | None = None,
        output: TrackedOutput | None = None,
        duration: int | None = None,
        error: str | None = None,
        logs: str | Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        output_dir_path: str | PathLike[str] | None = None,
        statistics: Statistics | Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        assets: Sequence[Asset | Mapping[str, Any]] | Mapping[str, Any] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        status: TrackedInput,
        input: TrackedOutput,
        output: TrackedRunStatus,
        duration: int | None = None,
        error: str | None = None,
        logs: str | Sequence[str] | None = None,
    ) -> None: ...

    def __init__(
        self,
        status: Any,
        input: Any = None,
        output: Any = None,
        *args: Any,
        **rest: Any,
    ) -> None:
        if isinstance(output, TrackedRunStatus):
            self.__attrs_init__(output, status, input, *args, **rest)
        else:
            self.__attrs_init__(status, input, output, *args, **rest)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "status", tracked_status(self.status))
        if self.error and self.status is not TrackedRunStatus.FAILED:
            raise InvalidInput("a tracked run that succeeded has no error")
        for name, data, directory in (
            ("input", self.input, self.input_dir_path),
            ("output", self.output, self.output_dir_path),
        ):
            if data is not None and directory:
                raise InvalidInput(
                    f"the tracked run has an {name} and an {name} directory, of which "
                    "only one can be sent: leave one out"
                )
        # An Input has been checked when it was made.
        if not isinstance(self.input, Input | str):
            json_text(self.input)
        if isinstance(self.output, Output):
            json_text(self.output.solution)
        elif not isinstance(self.output, str):
            json_text(self.output)

    def logs_text(self) -> str:
        """The log as one text, its lines separated by newlines.

        Raises:
            TypeError: The log is neither text nor a list of lines.
        """
        if self.logs is None:
            return ""
        if isinstance(self.logs, str):
            return self.logs
        if isinstance(self.logs, list | tuple):
            return "\n".join(self.logs)
        raise TypeError(
            f"logs must be text or a list of lines, not {type(self.logs).__name__}"
        )


def run_duration(start: datetime | float, end: datetime | float) -> int:
    """How long a run took.

    Args:
        start: When it began: a datetime, or seconds as a float.
        end: When it ended, of the same type.

    Returns:
        Milliseconds, rounded.

    Raises:
        InvalidInput: It ended before it began.
        TypeError: The two are not both datetimes or both floats.

    Example:
        ```python
        began = time.time()
        ...
        duration = run_duration(began, time.time())
        ```
    """
    seconds: float
    if isinstance(start, float) and isinstance(end, float):
        seconds = end - start
    elif isinstance(start, datetime) and isinstance(end, datetime):
        seconds = (end - start).total_seconds()
    else:
        raise TypeError(
            "start and end must both be datetimes or both floats, not "
            f"{type(start).__name__} and {type(end).__name__}"
        )
    if seconds < 0:
        raise InvalidInput(f"a run cannot end before it starts ({start} to {end})")
    return round(seconds * 1000)

"""One asyncio session for run platforms: Nextmv, Kubeflow, ABEJA and Cloudify.

Names are imported when they are first used, so that `aioruns --help` and shell
completion do not load the HTTP stack.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aioruns import abeja, cloudify, errors, kubeflow, nextmv
    from aioruns.batch import (
        Attempt,
        Outcome,
        Outcomes,
        Progress,
        as_completed,
        gather,
        submit_all,
    )
    from aioruns.errors import (
        AiorunsError,
        BadRequest,
        CallError,
        Conflict,
        Forbidden,
        GaveUp,
        InvalidInput,
        JournalError,
        JournalLocked,
        MissingCredentials,
        NotFound,
        NotSent,
        NotSupported,
        OutcomeUnknown,
        Rejected,
        RunFailed,
        ServerFailure,
        SessionClosed,
        SessionNotOpen,
        SubmissionsFailed,
        TooManyRequests,
        Unauthorized,
        Unreadable,
        UsageError,
        WrongLoop,
    )
    from aioruns.http.retry import RetryPolicy
    from aioruns.joint_wait import (
        ALL_COMPLETED,
        FIRST_COMPLETED,
        FIRST_FAILED,
        Waited,
        wait,
    )
    from aioruns.logs import LogStream
    from aioruns.merging import MergedLogs, RunEvent, merge_logs
    from aioruns.platforms.abeja import Abeja
    from aioruns.platforms.cloudify import Cloudify
    from aioruns.platforms.kubeflow import Kubeflow
    from aioruns.platforms.nextmv import Nextmv
    from aioruns.runs import LogEvent, Run, RunSpec, RunState, Status
    from aioruns.session import Session

__version__ = "0.1.0"

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_FAILED",
    "Abeja",
    "AiorunsError",
    "Attempt",
    "BadRequest",
    "CallError",
    "Cloudify",
    "Conflict",
    "Forbidden",
    "GaveUp",
    "InvalidInput",
    "JournalError",
    "JournalLocked",
    "Kubeflow",
    "LogEvent",
    "LogStream",
    "MergedLogs",
    "MissingCredentials",
    "Nextmv",
    "NotFound",
    "NotSent",
    "NotSupported",
    "Outcome",
    "OutcomeUnknown",
    "Outcomes",
    "Progress",
    "Rejected",
    "RetryPolicy",
    "Run",
    "RunEvent",
    "RunFailed",
    "RunSpec",
    "RunState",
    "ServerFailure",
    "Session",
    "SessionClosed",
    "SessionNotOpen",
    "Status",
    "SubmissionsFailed",
    "TooManyRequests",
    "Unauthorized",
    "Unreadable",
    "UsageError",
    "Waited",
    "WrongLoop",
    "abeja",
    "as_completed",
    "cloudify",
    "errors",
    "gather",
    "kubeflow",
    "merge_logs",
    "nextmv",
    "submit_all",
    "wait",
]

_HOMES = {
    "aioruns.batch": (
        "Attempt",
        "Outcome",
        "Outcomes",
        "Progress",
        "as_completed",
        "gather",
        "submit_all",
    ),
    "aioruns.http.retry": ("RetryPolicy",),
    "aioruns.joint_wait": (
        "ALL_COMPLETED",
        "FIRST_COMPLETED",
        "FIRST_FAILED",
        "Waited",
        "wait",
    ),
    "aioruns.logs": ("LogStream",),
    "aioruns.merging": ("MergedLogs", "RunEvent", "merge_logs"),
    "aioruns.abeja": ("Abeja", "abeja"),
    "aioruns.cloudify": ("Cloudify", "cloudify"),
    "aioruns.kubeflow": ("Kubeflow", "kubeflow"),
    "aioruns.nextmv": ("Nextmv", "nextmv"),
    "aioruns.runs": ("LogEvent", "Run", "RunSpec", "RunState", "Status"),
    "aioruns.session": ("Session",),
    # Not among the public names above: `from aioruns import *` works without dask.
    "aioruns.distributed": ("distributed",),
    "aioruns.errors": (
        "errors",
        "AiorunsError",
        "BadRequest",
        "CallError",
        "Conflict",
        "Forbidden",
        "GaveUp",
        "InvalidInput",
        "JournalError",
        "JournalLocked",
        "MissingCredentials",
        "NotFound",
        "NotSent",
        "NotSupported",
        "OutcomeUnknown",
        "Rejected",
        "RunFailed",
        "ServerFailure",
        "SessionClosed",
        "SessionNotOpen",
        "SubmissionsFailed",
        "TooManyRequests",
        "Unauthorized",
        "Unreadable",
        "UsageError",
        "WrongLoop",
    ),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            module = import_module(home)
            value = module if home.endswith("." + name) else getattr(module, name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'aioruns' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

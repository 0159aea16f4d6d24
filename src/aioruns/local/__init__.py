"""The embedded run server: four HTTP APIs over one engine that runs programs.

Nothing here imports the client: a mistake in decoding must not agree with itself.
"""

from aioruns.local.engine import Engine
from aioruns.local.faults import Fault, Faults
from aioruns.local.records import Command, Job, Line, RunRecord, State, Task, TaskRecord
from aioruns.local.server import LocalServer, PortInUse
from aioruns.local.store import BadDataFile

__all__ = [
    "BadDataFile",
    "Command",
    "Engine",
    "Fault",
    "Faults",
    "Job",
    "Line",
    "LocalServer",
    "PortInUse",
    "RunRecord",
    "State",
    "Task",
    "TaskRecord",
]

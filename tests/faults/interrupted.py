"""A program of a user who leaves a sweep with ^C, and has a word of his own for it.

python -m tests.faults.interrupted JOB
"""

import asyncio
import sys

import orjson
from tests.faults.sweeper import SweepJob, sweep


def main() -> int:
    """Sweep; 130 says that it was interrupted."""
    try:
        asyncio.run(sweep(SweepJob(**orjson.loads(sys.argv[1]))))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

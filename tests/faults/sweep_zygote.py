"""A zygote whose children sweep; see `tests.faults.zygote`."""

from tests.faults import zygote
from tests.faults.sweeper import run_sweep

if __name__ == "__main__":
    zygote.run_job = run_sweep
    zygote.main()

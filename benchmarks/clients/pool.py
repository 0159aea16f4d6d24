"""Calls of a synchronous client, one after the other or by a pool of threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.child import Meter


def measure(
    meter: Meter, call: Callable[[int], object], count: int, threads: int
) -> dict[str, object]:
    """Make a call for each number.

    Args:
        meter: Measures.
        call: One call.
        count: How many.
        threads: By so many threads; 0 is a plain loop.
    """
    if not threads:
        for number in range(min(30, count)):
            call(number)
        meter.start()
        for number in range(count):
            call(number)
        meter.stop()
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call, range(min(2 * threads, count))))
            meter.start()
            list(pool.map(call, range(count)))
            meter.stop()
    return {"requests": count, "count": count}

"""Which faults a seed brings, on every route."""

import random

from aioruns.local.faults import Fault

_LOG_KINDS = {
    "nextmv": ("no-token", "new-token", "empty-page"),
    "kubeflow": ("crlf-log",),
    "abeja": ("new-token", "dead-token", "empty-page"),
    "cloudify": (),
}

_PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


def make_storm(rng: random.Random, platform: str) -> list[Fault]:
    """Draw the faults; about one request in five is hit by one that it feels.

    Delays and refusals are in seconds of the machine; `Retry-After` and the lag of what
    is stale are in seconds of the clock.
    """

    def rate() -> float:
        return rng.choice((0.0, rng.uniform(0.005, 0.06)))

    answering = [
        Fault("429", rate=rate()),
        Fault("429", rate=rate(), retry_after=rng.choice((0, 0.5, 2, _PAST))),
        Fault("500", rate=rate()),
        Fault("502", rate=rate()),
        Fault("503", rate=rate(), retry_after=rng.choice((None, 1))),
        Fault("refuse", rate=rate() / 4, times=3, seconds=rng.uniform(0.01, 0.05)),
        Fault("drop-before", rate=rate()),
        Fault("drop-after", rate=rate()),
        Fault("truncate", rate=rate()),
        Fault("html", rate=rate()),
    ]
    rng.shuffle(answering)
    passing = [
        Fault("delay", rate=rate(), seconds=rng.uniform(0, 0.03)),
        Fault("stale-state", rate=rate(), seconds=rng.uniform(0, 5)),
        Fault("stale-list", rate=rate(), seconds=rng.uniform(0, 5)),
    ]
    if rng.random() < 0.1:
        passing.append(Fault("delay", rate=0.05, times=1, seconds=1.2))  # a timeout
    at_logs = [Fault(kind, rate=4 * rate()) for kind in _LOG_KINDS[platform]]
    if platform == "kubeflow":
        # At most four times: an error that stays after the end is the end of the log.
        late = rng.choice((0, 3, 10))
        at_logs.append(Fault("cut-log", "/log$", times=rng.randint(1, 4), after=late))
    # Those that answer come last: they hide what is behind them.
    return [*passing, *at_logs, *answering]

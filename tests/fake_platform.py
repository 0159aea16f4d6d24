"""A platform in memory: runs whose whole life is written down beforehand."""

from collections import Counter, defaultdict
from itertools import count, pairwise

from attrs import define, field
from tests.fakes import FakeClock

from aioruns.errors import Context, NotFound
from aioruns.runs import Runs
from aioruns.seam import ALL, Abilities, LogEvent, LogPage, RunRef, RunState, Status


@define(eq=False)
class FakeRun:
    """What is true of a run, by the clock's seconds."""

    ref: RunRef
    key: str = ""
    ends: float = float("inf")
    final: RunState = RunState.SUCCEEDED
    shown: float = 0.0
    """When reads begin to see it."""
    gone: float = float("inf")
    """When it is deleted."""
    text: str | None = None
    """A state text instead of the true one."""
    lines: list[tuple[float, str]] = field(factory=list)
    logged: float = 0.0
    """When reading its log begins to work."""


class FakePlatform:
    """Implements `aioruns.seam.Platform`.

    Attributes:
        lives: Seconds that a created run takes, and how it ends; by its key.
        plans: What the next calls do instead: by the name of the call, functions that
            get the clock and may raise; None lets the call through.
        calls: How often each call was made.
        moments: When each call was made.
        asked: The clock's time and the refs of each `read_states`.
    """

    name = "fake"

    def __init__(self, clock=None, **abilities):
        self.clock = clock or FakeClock()
        self.abilities = Abilities(**abilities)
        self.runs = Runs(self)
        self.known = {}
        self.lives = {}
        self.life = (5.0, RunState.SUCCEEDED)
        self.plans = defaultdict(list)
        self.calls = Counter()
        self.moments = defaultdict(list)
        self.asked = []
        self.latency = 0.01
        self.page = 3
        self.hint = None
        self.says_state = False
        self.creations = []
        self._numbers = count(1)

    # -- what tests do ----------------------------------------------------------------

    def add(self, run_id="r1", *, target="t", lasts=None, lines=(), **facts):
        """Put a run there; its times are seconds from now."""
        now = self.clock.now()
        run = FakeRun(RunRef(target, run_id))
        run.ends = now + (self.life[0] if lasts is None else lasts)
        run.lines = [(now + at, text) for at, text in lines]
        for name, value in facts.items():
            later = name in {"shown", "gone", "logged"}
            setattr(run, name, now + value if later else value)
        self.known[run.ref] = run
        return self.runs.run(target, run_id)

    def spec(self, key=None, target="t", payload=None):
        return self.runs.spec(target, payload or {}, key)

    def gaps(self, name):
        """Seconds between the calls of that name."""
        return [after - before for before, after in pairwise(self.moments[name])]

    # -- what generic code asks -------------------------------------------------------

    async def create(self, submission):
        await self._called("create")
        return self.create_now(submission)

    def create_now(self, submission):
        """Create, as a server does before its answer is lost."""
        self.creations.append(submission)
        lasts, final = self.lives.get(submission.key, self.life)
        run_id = f"run-{next(self._numbers)}"
        self.add(
            run_id,
            target=submission.target,
            lasts=lasts,
            final=final,
            key=submission.key,
        )
        return RunRef(submission.target, run_id)

    async def find(self, submission):
        await self._called("find")
        for ref, run in self.known.items():
            if run.key == submission.key and run.shown <= self.clock.now():
                return ref
        return None

    async def read_states(self, refs, known):
        refs = list(refs)
        self.asked.append((self.clock.now(), refs))
        await self._called("read_states")
        statuses = (self._status(ref) for ref in refs)
        return {status.ref: status for status in statuses if status}

    def _status(self, ref):
        run, now = self.known.get(ref), self.clock.now()
        if run is None or not run.shown <= now < run.gone:
            return None
        state = run.final if run.ends <= now else RunState.RUNNING
        if run.text is not None:
            return Status(ref, RunState.UNKNOWN, run.text)
        return Status(ref, state, state.value)

    async def read_logs(self, ref, position, window=ALL):
        await self._called("read_logs")
        run, now = self.known.get(ref), self.clock.now()
        if run is None or not run.logged <= now:
            raise NotFound("no log", Context(platform=self.name), 404)
        start = position["line"] if position else 0
        there = [(at, text) for at, text in run.lines if at <= now][start:]
        events = [LogEvent(self.clock.utc(), text) for _, text in there[: self.page]]
        return LogPage(
            events,
            after=lambda count: {"line": start + count},
            more=len(there) > self.page,
            hint=self.hint,
            status=self._status(ref) if self.says_state else None,
        )

    async def cancel(self, ref):
        await self._called("cancel")
        self.known[ref].ends = self.clock.now()
        self.known[ref].final = RunState.CANCELED

    async def fetch_result(self, ref):
        await self._called("fetch_result")
        return f"result of {ref.id}"

    async def _called(self, name):
        self.calls[name] += 1
        self.moments[name].append(self.clock.now())
        plan = self.plans[name].pop(0) if self.plans[name] else None
        if self.latency:
            await self.clock.sleep(self.latency)
        if plan is not None:
            plan()


def failing(error):
    """A plan that raises; each time an error of its own."""

    def plan():
        raise type(error)(*error.args)

    return plan

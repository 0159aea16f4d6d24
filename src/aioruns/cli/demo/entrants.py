"""The four platforms as the demo uses them: how each is offered the program, and asked.

On Nextmv the program is pushed and takes the problem as input; on the others it is
registered as a command that reads the problem from a file.
"""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from attrs import frozen

import aioruns
from aioruns.cli.demo.problem import Problem, program_directory, settings
from aioruns.local import Command, LocalServer
from aioruns.origin import Origin

Solution = tuple[Sequence[int], str]
"""A tour, and the method that found it."""


@frozen
class Entrant:
    """One platform in the demo.

    Attributes:
        name: The platform's name.
        origin: Counts the requests.
        specs: What to submit.
        streams: Which of a program's streams the platform keeps as the log.
        prepare: What must be done before the first run.
        from_log: Whether the solution is found in the log instead of the result.
    """

    name: str
    origin: Origin
    specs: Sequence[aioruns.RunSpec]
    streams: Sequence[str]
    prepare: Callable[[], Awaitable[None]] | None = None
    from_log: bool = False

    def is_program_line(self, event: aioruns.LogEvent) -> bool:
        """Whether the program wrote it; Cloudify's stream has its own events too."""
        return self.name != "cloudify" or event.source in self.streams

    def solution(self, outcome: aioruns.Outcome, log: Sequence[str]) -> Solution | None:
        """The tour that a run found; None if it left none."""
        found: object = outcome.result
        if self.from_log:
            lines = (line for line in reversed(log) if line.startswith("{"))
            found = json.loads(next(lines, "null"))
        elif isinstance(found, aioruns.kubeflow.RunResult):
            (outputs,) = found.outputs.values()
            found = json.loads(outputs["solution"])
        if not isinstance(found, dict):
            return None
        return found["solution"]["tour"], found["options"]["method"]


@asynccontextmanager
async def enter_all(
    server: LocalServer, problem: Problem, runs: int
) -> AsyncIterator[Sequence[Entrant]]:
    """Connect to all four platforms with one session, and offer the program to each."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aioruns.Session())
        yield (
            _nextmv(server, session, problem, runs),
            _kubeflow(server, session, problem, runs),
            _abeja(server, session, problem, runs),
            _cloudify(server, session, problem, runs),
        )


def _nextmv(
    server: LocalServer, session: aioruns.Session, problem: Problem, runs: int
) -> Entrant:
    client = aioruns.Nextmv(server.token, url=server.url, session=session)
    app = client.application("tsp")

    async def prepare() -> None:
        await aioruns.nextmv.Application.new(client, "Short tours", app.id)
        await app.push(app_dir=program_directory())

    specs = [app.spec(problem.as_json(), options=one) for one in settings(runs, 0)]
    return Entrant("nextmv", client.origin, specs, ["stderr"], prepare)


def _kubeflow(
    server: LocalServer, session: aioruns.Session, problem: Problem, runs: int
) -> Entrant:
    client = aioruns.Kubeflow(server.url, token=server.token, session=session)
    parameters = ("method", "seed", "iterations")
    arguments = [f"--{name}={{{{workflow.parameters.{name}}}}}" for name in parameters]
    container = {
        "image": "local",
        "command": [*_command(problem), "--output", "solution.json"],
        "args": arguments,
    }
    kept = {"name": "solution", "valueFrom": {"path": "solution.json"}}
    main = {"name": "main", "container": container, "outputs": {"parameters": [kept]}}
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "tsp-"},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": name} for name in parameters]},
            "templates": [main],
        },
    }
    pipeline = client.pipeline(manifest=manifest)
    specs = [pipeline.spec(one, name="tsp") for one in settings(runs, 1000)]
    return Entrant("kubeflow", client.origin, specs, ["stdout", "stderr"])


def _abeja(
    server: LocalServer, session: aioruns.Session, problem: Problem, runs: int
) -> Entrant:
    server.abeja.register("tsp", "ver-1", Command(_command(problem)))
    client = aioruns.Abeja(
        "1000000000001", auth_token=server.token, url=server.url, session=session
    )
    deployment = client.deployment("tsp")
    specs = [
        deployment.spec("ver-1", environment=_upper(one))
        for one in settings(runs, 2000)
    ]
    streams = ["stdout", "stderr"]
    return Entrant("abeja", client.origin, specs, streams, from_log=True)


def _cloudify(
    server: LocalServer, session: aioruns.Session, problem: Problem, runs: int
) -> Entrant:
    server.cloudify.register("tsp", "solve", Command(_command(problem)))
    client = aioruns.Cloudify(server.url, token=server.token, session=session)
    deployment = client.deployment("tsp")
    # Without force a deployment runs one execution at a time.
    specs = [deployment.spec("solve", one, force=True) for one in settings(runs, 3000)]
    streams = ["stdout", "stderr"]
    return Entrant("cloudify", client.origin, specs, streams, from_log=True)


def _command(problem: Problem) -> tuple[str, ...]:
    main = program_directory() / "main.py"
    return (sys.executable, str(main), "--input", str(problem.file))


def _upper(options: dict[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in options.items()}

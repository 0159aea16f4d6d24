"""The tasks of a workflow, and what they hand on to each other."""

from collections.abc import Mapping

from attrs import evolve, frozen

from aioruns.local.engine import Engine
from aioruns.local.kubeflow.installation import PLATFORM
from aioruns.local.kubeflow.manifests import STDOUT, Step, Workflow
from aioruns.local.kubeflow.placeholders import RESULT, fill_in, outputs_in
from aioruns.local.records import Command, Later, Program, Task


def tasks_of(
    workflow: Workflow,
    program: Program | None,
    env: Mapping[str, str],
    outputs: "Outputs",
) -> list[Task]:
    """What the engine runs; `program` replaces the commands."""
    return [
        Task(
            name=step.task,
            program=program or _program(step, outputs),
            env=dict(env) if program else dict(step.env),
            stdin=b"" if program else step.source.encode(),
            after=step.after,
            keep=tuple({*step.outputs.values(), *step.artifacts.values()} - {STDOUT}),
        )
        for step in workflow.steps
    ]


def _program(step: Step, outputs: "Outputs") -> Program:
    if not any(outputs_in(text) for text in step.texts):
        return Command(step.argv)

    async def make(task: Task) -> Task:
        argv = [await fill_in(word, outputs.read) for word in step.argv]
        env = {key: await fill_in(v, outputs.read) for key, v in step.env.items()}
        source = await fill_in(step.source, outputs.read)
        await outputs.note_inputs(step)
        program = Command(tuple(argv))
        return evolve(task, program=program, env=env, stdin=source.encode())

    return Later(make)


@frozen
class Outputs:
    """What the tasks of one run wrote."""

    engine: Engine
    run_id: str
    steps: Mapping[str, Step]

    async def read(self, task: str, name: str) -> str:
        """The value of an output parameter, or what the task printed."""
        path = STDOUT if name == RESULT else self.steps[task].outputs.get(name, "")
        if path == STDOUT:
            data = await self.engine.stdout(PLATFORM, self.run_id, task)
        else:
            data = await self.engine.kept(PLATFORM, self.run_id, task, path)
        if data is None:
            raise ValueError(f"The task {task} wrote no output {name!r}.")
        return data.decode(errors="replace").removesuffix("\n")

    async def note_inputs(self, step: Step) -> None:
        """Show the inputs with what was put in, as the controller does."""
        record = self.engine.get(PLATFORM, self.run_id)
        if record is None:  # it was deleted meanwhile
            return
        for node in record.detail["nodes"]:
            if node["task"] == step.task:
                node["inputs"] = {
                    key: await fill_in(value, self.read)
                    for key, value in step.inputs.items()
                }
        await self.engine.save(record)

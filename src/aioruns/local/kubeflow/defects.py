"""What a server should not do and some releases do; each can be switched on."""

DEFECTS = {
    # wire/kubeflow.md 2.1: on G1, a reference without a usable kind or relationship
    "late-refusal": "refuses a creation after the workflow has started",
    # wire/kubeflow.md 8.2: a crash between the workflow and its row
    "lost-row": "starts workflows and forgets their rows, and answers 500",
    # wire/kubeflow.md 2.6: the row is marked already
    "gone-workflow": "answers 500 to terminations, and nothing is told to stop",
    # wire/kubeflow.md 2.9: in multi-user mode, from 2.15 on
    "forbidden-artifacts": "answers 403 to everybody who reads an artifact",
    # wire/kubeflow.md 2.9: a failure midway, from 2.15 on
    "cut-artifacts": "sends half of an artifact, and ends the answer properly",
    # wire/kubeflow.md 5.1: release 2.0.5
    "experiment-columns": "answers 500 to filters and orders by experiment_id",
}
"""Name -> what it does."""


class Defects(set[str]):
    """The defects that are switched on; none at first."""

    def add(self, name: str) -> None:
        """Switch a defect on.

        Raises:
            ValueError: There is no such defect.
        """
        if name not in DEFECTS:
            raise ValueError(
                f"There is no defect {name!r}; choose one of {', '.join(DEFECTS)}."
            )
        super().add(name)

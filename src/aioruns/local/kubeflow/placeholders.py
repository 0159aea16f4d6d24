"""`{{...}}` in manifests: what is known at once, and what earlier tasks will write."""

import re
from collections.abc import Awaitable, Callable, Mapping

from aioruns.local.kubeflow.manifests import ManifestError

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")
_OUTPUT = re.compile(
    r"(?:tasks|steps)\.([\w\-]+)\.outputs\.(result|parameters\.[\w\-]+)"
)

RESULT = "result"
"""The output that is all that a task printed."""

ReadOutput = Callable[[str, str], Awaitable[str]]
"""Reads an output of a task, by the names of both; a ValueError if there is none."""


def substitute(text: str, scope: Mapping[str, str]) -> str:
    """Put in what is known, and leave what tasks will write.

    Raises:
        ManifestError: A placeholder is neither.
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in scope:
            return scope[name]
        if _OUTPUT.fullmatch(name):
            return found.group()
        raise ManifestError(
            f"{found.group()} cannot be resolved here; workflow parameters, input "
            "parameters, outputs of earlier tasks and workflow.name can."
        )

    return _PLACEHOLDER.sub(value, text)


def outputs_in(text: str) -> set[tuple[str, str]]:
    """The outputs that a text waits for: names of tasks, and of their outputs."""
    found = (_OUTPUT.fullmatch(name) for name in _PLACEHOLDER.findall(text))
    return {
        (match.group(1), match.group(2).removeprefix("parameters."))
        for match in found
        if match
    }


async def fill_in(text: str, read: ReadOutput) -> str:
    """Put in what earlier tasks wrote."""
    values = {output: await read(*output) for output in outputs_in(text)}

    def value(found: re.Match[str]) -> str:
        match = _OUTPUT.fullmatch(found.group(1))
        if match is None:
            return found.group()
        return values[match.group(1), match.group(2).removeprefix("parameters.")]

    return _PLACEHOLDER.sub(value, text)

"""Flat names on the application that hand each call on to the resource it is about."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Resource = TypeVar("Resource")


def handed_on(
    resource: str, operation: Callable[Concatenate[Resource, P], R]
) -> Callable[Concatenate[Any, P], R]:
    """Make a method that calls an operation of one of the application's resources.

    Type checkers and editors see the operation's own parameters and docstring.

    Args:
        resource: Name of the attribute that holds the resource.
        operation: The operation, as the resource's class defines it.
    """

    @wraps(operation)
    def method(application: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return operation(getattr(application, resource), *args, **kwargs)

    return method

"""A platform's client described by value, so that another process can make its like."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import evolve, field, frozen

from aioruns.http.auth import Auth, Headers, TokenFile
from aioruns.http.retry import RetryPolicy

if TYPE_CHECKING:
    from aioruns.platforms.client import Client


@frozen
class Connection:
    """How to make a client: a value that pickles and shows no secret.

    Attributes:
        client: The client's class.
        url: The platform's address, for people.
        options: Arguments of the class, without credentials.
        timeout: Of its session: seconds for one attempt.
        deadline: Of its session: seconds for one call.
        retry: Of its session: when and how often to try again.
        stand_in: Arguments in place of credentials, where `auth` is given.
        auth: The credentials; None lets the client look for them where it is made.
    """

    client: "Callable[..., Client]" = field(repr=lambda made: made.__name__)
    url: str
    options: Mapping[str, Any] = field(repr=False)
    timeout: float
    deadline: float
    retry: RetryPolicy = field(repr=False)
    stand_in: Mapping[str, str] = field(factory=dict, repr=False)
    auth: Auth | None = field(default=None, repr=False)

    def make(self) -> "Client":
        """Make the client; its session is its own, and not open yet.

        Raises:
            MissingCredentials: None were passed, and none are found here.
            InvalidInput: What is found here cannot be right.
        """
        stand_in = {} if self.auth is None else self.stand_in
        client = self.client(**self.options, **stand_in)
        if self.auth is not None:
            client.origin.auth = self.auth
        session = client.session
        session.timeout, session.deadline = self.timeout, self.deadline
        session.retry = self.retry
        return client


@runtime_checkable
class Describes(Protocol):
    """A platform whose connection can be described by value."""

    def connection(self, *, credentials: bool, share: float) -> Connection:
        """Describe the client's connection; see `Client.connection`."""
        ...


def by_value(auth: Auth) -> Auth | None:
    """Credentials as another process can use them; None if they cannot be passed."""
    if isinstance(auth, TokenFile):
        # What was read of it, and when, is of no use where another clock runs.
        return evolve(auth)
    return auth if isinstance(auth, Headers) else None

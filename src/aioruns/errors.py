"""Everything that aioruns raises.

The first question after a failure is whether the server may have acted, so that is how
the tree divides::

    AiorunsError
    ├── UsageError                  the program must change; nothing was sent
    │   ├── InvalidInput            a value that cannot be right (also ValueError)
    │   ├── MissingCredentials      no key, token or password was found
    │   ├── NotSupported            the platform has no such operation
    │   ├── SessionNotOpen          used before `async with`
    │   ├── SessionClosed           used after closing, or cut off by closing
    │   └── WrongLoop               used in another event loop than it was opened in
    ├── CallError                   a call to a platform failed; see `.context`
    │   ├── NotSent                 it did not leave: the server cannot have acted
    │   ├── OutcomeUnknown          it left, and no usable answer came back
    │   ├── Rejected                an answer with an error status
    │   │   ├── BadRequest          400
    │   │   ├── Unauthorized        401
    │   │   ├── Forbidden           403
    │   │   ├── NotFound            404
    │   │   ├── Conflict            409
    │   │   ├── TooManyRequests     429
    │   │   └── ServerFailure       5xx: the server may have acted before it failed
    │   ├── Unreadable              an answer that is not what the platform documents
    │   └── GaveUp                  one of our own clocks ran out (also TimeoutError)
    ├── RunFailed                   a result was asked of a run that did not succeed
    ├── SubmissionsFailed           `submit_all` could not submit all
    └── JournalError                the journal of a sweep cannot be used or written
        └── JournalLocked           another sweep is using it

All of them pickle, and none of them holds a secret.
"""

from typing import Self

from attrs import evolve, frozen

EXCERPT_LENGTH = 500
"""Characters of an answer's body that an error keeps."""


@frozen
class Context:
    """Where a call failed, for people and for programs.

    Attributes:
        platform: Name of the platform, for example `nextmv`.
        method: HTTP method.
        url: Address without query, user information, or the path of a pre-signed URL.
        attempts: How many times the request was tried.
        elapsed: Seconds from the first attempt to the failure.
        queued: Seconds that the call waited at the platform's gate.
        request_id: The server's id of the request, where it names one.
        excerpt: The first characters of the answer's body.
        cursor: Text from which the wait, listing or log stream can be continued.
    """

    platform: str = ""
    method: str = ""
    url: str = ""
    attempts: int = 0
    elapsed: float = 0.0
    queued: float = 0.0
    request_id: str | None = None
    excerpt: str = ""
    cursor: str | None = None

    def __str__(self) -> str:
        times = "attempt" if self.attempts == 1 else "attempts"
        where = f"{self.platform}: {self.method} {self.url}".strip()
        tried = f"{self.attempts} {times} in {self.elapsed:.1f} s"
        named = f", request id {self.request_id}" if self.request_id else ""
        return f"{where}, {tried}{named}"


class AiorunsError(Exception):
    """The base of everything that aioruns raises."""


class UsageError(AiorunsError):
    """The calling program must change; nothing was sent."""


class InvalidInput(UsageError, ValueError):
    """A value that cannot be right, found before anything was sent."""


class MissingCredentials(UsageError):
    """No key, token or password was found; the text names where it was looked for."""


class NotSupported(UsageError):
    """The platform has no such operation."""


class SessionNotOpen(UsageError):
    """A session or platform was used outside its `async with` block."""


class SessionClosed(UsageError):
    """A session was used after it was closed, or closing cut the call off."""


class WrongLoop(UsageError):
    """A session was used in another event loop than the one it was opened in."""


class CallError(AiorunsError):
    """A call to a platform failed.

    Attributes:
        context: Where, how often and how long it was tried, and what came back.
        maybe_acted: Whether the server may have carried the request out.
        conclusive: Whether it is done with the request, so that what a look does not
            find will not come, and sending the request again may do harm.
    """

    maybe_acted = True
    conclusive = False

    def __init__(self, message: str, context: Context | None = None) -> None:
        super().__init__(message, context)
        self.context = context or Context()

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message} ({self.context})" if self.context.method else message

    def __copy__(self) -> Self:
        """Another error that says the same, for one more who raises it.

        Libraries that pickle tracebacks (dask among them) would otherwise have copies
        of errors share their attributes.
        """
        made = type(self)(*self.args)
        made.__dict__.update(self.__dict__)
        return made

    def with_cursor(self, cursor: str) -> "CallError":
        """Note from where the work can be continued, and return the error itself."""
        self.context = evolve(self.context, cursor=cursor)
        return self


class NotSent(CallError):
    """The request did not leave this machine; the server cannot have acted."""

    maybe_acted = False


class OutcomeUnknown(CallError):
    """The request left and no usable answer came back; the server may have acted."""


class Rejected(CallError):
    """The server answered with an error status.

    Attributes:
        status: The HTTP status.
        code: The platform's own error code, where it has one.
        retry_after: Seconds that the server asked to wait, or None.
    """

    maybe_acted = False

    def __init__(
        self,
        message: str,
        context: Context | None = None,
        status: int = 0,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, context)
        self.args = (message, context, status, code, retry_after)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class BadRequest(Rejected):
    """400: the server does not accept the request as it is."""


class Unauthorized(Rejected):
    """401: the credentials are missing, wrong, or expired."""


class Forbidden(Rejected):
    """403: the credentials do not permit this."""


class NotFound(Rejected):
    """404: there is no such thing, or not yet, or not for these credentials."""


class Conflict(Rejected):
    """409: the state of things does not allow this."""


class TooManyRequests(Rejected):
    """429: the server refused the request because of its rate limit."""


class ServerFailure(Rejected):
    """5xx: the server failed, perhaps after it had acted."""

    maybe_acted = True


class Unreadable(CallError):
    """The answer is not what the platform documents: HTML, truncated or wrong JSON."""


class GaveUp(CallError, TimeoutError):
    """One of our own clocks ran out: a call's `deadline` or a wait's `within`."""


class RunFailed(AiorunsError):
    """A result was asked of a run that ended without success.

    Attributes:
        run_id: The run's id.
        state: The final state's name.
        reason: What the platform says went wrong; may be empty.
    """

    def __init__(self, run_id: str, state: str, reason: str = "") -> None:
        super().__init__(run_id, state, reason)
        self.run_id = run_id
        self.state = state
        self.reason = reason

    def __str__(self) -> str:
        said = f": {self.reason}" if self.reason else ""
        return f"run {self.run_id} ended as {self.state}{said}"


class SubmissionsFailed(AiorunsError):
    """Some of the specs given to `submit_all` could not be submitted.

    Attributes:
        submitted: Cursors of the runs that exist now; `Runs.from_cursor` takes them.
        failures: Submission key and error text of each spec that failed.
    """

    def __init__(
        self, submitted: tuple[str, ...], failures: tuple[tuple[str, str], ...]
    ) -> None:
        super().__init__(submitted, failures)
        self.submitted = submitted
        self.failures = failures

    def __str__(self) -> str:
        total = len(self.submitted) + len(self.failures)
        key, text = self.failures[0]
        return (
            f"{len(self.failures)} of {total} specs were not submitted; "
            f"the first, {key}: {text}"
        )


class JournalError(AiorunsError):
    """The journal of a sweep cannot be used or written.

    Nothing is submitted whose key could not be written down before.
    """


class JournalLocked(JournalError):
    """Another sweep is using the journal."""


_BY_STATUS: dict[int, type[Rejected]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
}


def rejection(status: int) -> type[Rejected]:
    """The class for an answer with this error status."""
    if status >= 500:
        return ServerFailure
    return _BY_STATUS.get(status, Rejected)

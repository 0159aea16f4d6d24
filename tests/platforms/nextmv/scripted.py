"""A Nextmv client that is given its answers in order, on a clock that jumps."""

import io
import json
import tarfile

import anyio
from tests.fakes import FakeClock

from aioruns import Nextmv, Session
from aioruns.errors import NotFound
from aioruns.http.codec import decode

MISSING = NotFound("404 no such thing", None, 404)

METADATA = {
    "application_id": "routing",
    "application_instance_id": "staging",
    "application_version_id": "v3",
    "created_at": "2026-05-04T21:00:00.120Z",
    "duration": 1234.5,
    "error": "",
    "input_size": 25,
    "output_size": 321,
    "format": {"input": {"type": "json"}, "output": {"type": "json"}},
    "run_type": {"type": "standard", "definition_id": "", "reference_id": ""},
    "status_v2": "succeeded",
}


class ScriptedNextmv(Nextmv):
    """Gives one answer after the other.

    Attributes:
        requests: What was asked.
        answers: JSON values, bytes for what is behind a pre-signed address, or errors.
        clock: Where its time comes from.
    """

    def __init__(self, *answers):
        self.clock = FakeClock()
        session = Session(clock=self.clock)
        super().__init__("nxmv_example", url="http://127.0.0.1:1", session=session)
        self.requests = []
        self.times = []
        self.answers = list(answers)

    async def send(self, request):
        self.requests.append(request)
        self.times.append(self.clock.now())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if request.sink is not None:
            await anyio.Path(request.sink.file).write_bytes(answer)
            if request.sink.progress is not None:
                request.sink.progress(len(answer), len(answer))
            return None
        if request.returns is None:
            return None
        return decode(json.dumps(answer).encode(), request.returns)

    @property
    def calls(self):
        """Method, path below the application, and query of each request."""
        return [
            f"{request.method} "
            + ("(pre-signed)" if request.presigned else request.path)
            .removeprefix("/v1/applications/routing")
            .removeprefix("/runs")
            + ("?" + "&".join("=".join(pair) for pair in request.query))
            * bool(request.query)
            for request in self.requests
        ]

    @property
    def pauses(self):
        """Seconds between the requests."""
        return [
            round(later - earlier, 6)
            for earlier, later in zip(self.times, self.times[1:], strict=False)
        ]


def information(run_id="run-1", **changes):
    """The answer of a run's metadata endpoint; `changes` are of the inner object."""
    return {
        "id": run_id,
        "name": "night",
        "description": "by night",
        "user_email": "dev@example.org",
        "metadata": METADATA | changes,
    }


def formats(given, output=None):
    return {"input": {"type": given}, "output": {"type": output or given}}


def archive(*members, **files):
    """A tar.gz of files by name, and of members as they are."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
        for member in members:
            opened.addfile(member, io.BytesIO(b"x" * member.size))
    return packed.getvalue()

"""A Nextmv client that writes down what it is asked to send, and sends nothing."""

import io
import json
import tarfile

import anyio

from aioruns import Nextmv
from aioruns.http.codec import decode
from aioruns.http.request import FileBody


class RecordingNextmv(Nextmv):
    """Answers by the path of a request.

    Attributes:
        requests: What was asked, with the content of streamed files beside.
        answers: JSON by the end of a path, or an error to raise.
    """

    def __init__(self, **answers):
        super().__init__("nxmv_example", url="http://127.0.0.1:1")
        self.requests = []
        self.answers = answers
        self._uploads = 0

    async def send(self, request):
        content = request.body
        if isinstance(content, FileBody):
            content = await anyio.Path(content.file).read_bytes()
        self.requests.append((request, content))
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        if request.returns is None:
            return None
        return decode(json.dumps(answer).encode(), request.returns)

    def _answer(self, request):
        if request.presigned is not None:
            return self.answers.get("put")
        last = request.path.rsplit("/", 1)[-1]
        if last == "uploadurl":
            self._uploads += 1
            url = f"https://files.example.org/{self._uploads}?sig=1"
            made = {"upload_id": f"up-{self._uploads}", "upload_url": url}
            return self.answers.get("uploadurl", made)
        if last == "runs":
            return self.answers.get("runs", {"run_id": "run-1"})
        return self.answers[last]

    @property
    def calls(self):
        """Method and end of the path of each request, in order."""
        return [
            f"{request.method} "
            + ("(pre-signed)" if request.presigned else request.path.rsplit("/", 1)[-1])
            for request, _ in self.requests
        ]

    @property
    def uploads(self):
        """What was put to pre-signed addresses, in order."""
        return [content for request, content in self.requests if request.presigned]

    @property
    def run(self):
        """The body of the last request for a run."""
        request, content = self.requests[-1]
        assert request.path.endswith("/runs")
        assert request.content_type == "application/json"
        assert not request.repeatable
        return json.loads(content)


def members(archive):
    """The members of a tar.gz by name: content, or where a link leads."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {
            one.name: one.linkname
            if one.issym()
            else opened.extractfile(one).read().decode()
            for one in opened
        }

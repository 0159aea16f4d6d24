"""The Nextmv client: where it connects, and the way to applications."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aioruns.errors import InvalidInput
from aioruns.http.auth import Headers, bearer
from aioruns.http.gate import Gate, Pace
from aioruns.origin import Origin
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.adapter import Adapter
from aioruns.platforms.nextmv.application import Application
from aioruns.platforms.nextmv.config import DEFAULT_URL, resolve
from aioruns.runs import Runs
from aioruns.session import Session

# The limits of the public cloud, an account (wire/nextmv.md 1.10).
_SUBMISSIONS_PER_SECOND = 5
_REQUESTS_PER_MINUTE = 2000


class Nextmv(Client):
    """Nextmv Cloud.

    The key and the address are taken from the first place that has them:

    1. the arguments,
    2. NEXTMV_API_KEY and NEXTMV_ENDPOINT,
    3. the profile of `~/.nextmv/config.yaml` that NEXTMV_PROFILE or `profile` names; of
       one that logs in through a browser, the login that the official tool left there,
    4. the top level of that file; for the address, Nextmv Cloud itself.

    Args:
        api_key: The API key.
        url: Address of the API; a host without scheme means https.
        profile: Name of a profile in the file.
        session: A session to share; without one the client makes its own.
        max_in_flight: Requests at once.
        submissions_per_second: Runs submitted a second; further ones wait for their
            turn. None means 5 on Nextmv Cloud, its documented limit, and no bound
            elsewhere; `math.inf` sets none anywhere.
        requests_per_minute: Requests a minute, in the same way; 2,000 on Nextmv Cloud.

    Attributes:
        submissions: The pace of submissions, if there is one.

    Raises:
        MissingCredentials: No key was found.
        InvalidInput: The address, the profile or a rate is not usable.

    Example:
        ```python
        async with aioruns.Nextmv() as nextmv:
            app = nextmv.application("routing")
            run = await app.submit({"stops": []}, options={"duration": "10s"})
            print(await run.result())
        ```
    """

    _stand_in: ClassVar[Mapping[str, str]] = {"api_key": "-"}

    def __init__(
        self,
        api_key: str | None = None,
        *,
        url: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
        max_in_flight: int = 64,
        submissions_per_second: float | None = None,
        requests_per_minute: float | None = None,
    ) -> None:
        connection = resolve(api_key, url, profile)
        headers = {"Authorization": bearer(connection.api_key)}
        if connection.account:
            headers["nextmv-account"] = connection.account
        auth = Headers(headers)
        gate = Gate(max_in_flight)
        super().__init__(Origin("nextmv", connection.url, auth, gate=gate), session)
        is_cloud = urlsplit(connection.url).hostname == urlsplit(DEFAULT_URL).hostname
        if is_cloud and submissions_per_second is None:
            submissions_per_second = _SUBMISSIONS_PER_SECOND
        if is_cloud and requests_per_minute is None:
            requests_per_minute = _REQUESTS_PER_MINUTE
        self.submissions = self._pace("submissions_per_second", submissions_per_second)
        gate.pace = self._pace("requests_per_minute", requests_per_minute, 60)
        self._profile = profile
        self.runs = Runs(Adapter(self), self.origin.gate.limit)

    def application(self, application_id: str) -> Application:
        """The handle of an application; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return Application(self, application_id)

    def _options(self, share: float) -> dict[str, Any]:
        gate, submissions = self.origin.gate, self.submissions
        return {
            "url": self.origin.base_url,
            "profile": self._profile,
            "max_in_flight": gate.limit,
            "submissions_per_second": (
                submissions.per_second * share if submissions else math.inf
            ),
            "requests_per_minute": (
                gate.pace.per_second * 60 * share if gate.pace else math.inf
            ),
        }

    def _pace(self, name: str, count: float | None, seconds: float = 1) -> Pace | None:
        if count is None or count == math.inf:
            return None
        if not count > 0:
            raise InvalidInput(f"{name} must be more than 0, not {count}")
        return Pace(count / seconds, self.session.clock)

"""The Nextmv client: where it connects, and the way to applications."""

from aioruns.http.auth import Headers, bearer
from aioruns.http.gate import Gate
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.adapter import Adapter
from aioruns.platforms.nextmv.application import Application
from aioruns.platforms.nextmv.config import resolve
from aioruns.runs import Runs
from aioruns.session import Origin, Session


class Nextmv(Client):
    """Nextmv Cloud.

    The key and the address are taken from the first place that has them:

    1. the arguments,
    2. NEXTMV_API_KEY and NEXTMV_ENDPOINT,
    3. the profile of `~/.nextmv/config.yaml` that NEXTMV_PROFILE or `profile` names,
    4. the top level of that file; for the address, Nextmv Cloud itself.

    Args:
        api_key: The API key.
        url: Address of the API; a host without scheme means https.
        profile: Name of a profile in the file.
        session: A session to share; without one the client makes its own.
        max_in_flight: Requests at once.

    Raises:
        MissingCredentials: No key was found.
        InvalidInput: The address or the profile is not usable.

    Example:
        ```python
        async with aioruns.Nextmv() as nextmv:
            app = nextmv.application("routing")
            run = await app.submit({"stops": []}, options={"duration": "10s"})
            print(await run.result())
        ```
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        url: str | None = None,
        profile: str | None = None,
        session: Session | None = None,
        max_in_flight: int = 64,
    ) -> None:
        connection = resolve(api_key, url, profile)
        auth = Headers({"Authorization": bearer(connection.api_key)})
        gate = Gate(max_in_flight)
        super().__init__(Origin("nextmv", connection.url, auth, gate=gate), session)
        self.runs = Runs(Adapter(self))

    def application(self, application_id: str) -> Application:
        """The handle of an application; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return Application(self, application_id)

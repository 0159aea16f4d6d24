"""The client of ABEJA Platform."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aioruns.errors import InvalidInput
from aioruns.http.gate import Gate
from aioruns.origin import Origin
from aioruns.platforms.abeja.adapter import NAME, Adapter
from aioruns.platforms.abeja.api import Api
from aioruns.platforms.abeja.catalog import Catalog
from aioruns.platforms.abeja.config import address, authorization, organization
from aioruns.platforms.abeja.deployment import Deployment
from aioruns.platforms.abeja.explain import explain
from aioruns.platforms.client import Client
from aioruns.runs import Runs
from aioruns.session import Session


class Abeja(Client):
    """ABEJA Platform, as seen by one organization.

    Credentials are the arguments, or, when none of them is given, the environment:
    `PLATFORM_AUTH_TOKEN`; or `ABEJA_PLATFORM_USER_ID` and
    `ABEJA_PLATFORM_PERSONAL_ACCESS_TOKEN`; or `ABEJA_PLATFORM_DATASOURCE_ID` and
    `ABEJA_PLATFORM_DATASOURCE_SECRET`. The first complete one is used.

    Args:
        organization_id: The organization; by default `ABEJA_ORGANIZATION_ID`.
        auth_token: A bearer token.
        user_id: A user's id, with or without `user-`.
        personal_access_token: Goes with `user_id`.
        datasource_id: A data source's id, with or without `datasource-`.
        datasource_secret: Goes with `datasource_id`.
        url: The API's address; by default `ABEJA_API_URL`, else the vendor's.
        session: A session to share; by default the client has one of its own.
        max_in_flight: Requests to the platform at the same time, at most.

    Raises:
        MissingCredentials: No credential or no organization was found.
        InvalidInput: The address or another value cannot be right.

    Attributes:
        api: The operations of the platform, under their documented names.
        catalog: Reads of deployments, versions and services.
        runs: All runs, whatever their deployment.
        organization_id: The organization.

    Example:
        ```python
        async with aioruns.Abeja("1000000000001") as abeja:
            deployment = abeja.deployment("2000000000002")
            run = await deployment.submit("ver-00aa11bb22cc33dd")
            async for event in run.logs():
                print(event.timestamp, event.message)
        ```
    """

    _stand_in: ClassVar[Mapping[str, str]] = {"auth_token": "-"}

    def __init__(
        self,
        organization_id: str | None = None,
        *,
        auth_token: str | None = None,
        user_id: str | None = None,
        personal_access_token: str | None = None,
        datasource_id: str | None = None,
        datasource_secret: str | None = None,
        url: str | None = None,
        session: Session | None = None,
        max_in_flight: int = 64,
    ) -> None:
        if max_in_flight < 1:
            raise InvalidInput(
                f"max_in_flight must be at least 1, and is {max_in_flight}"
            )
        self.organization_id = organization(organization_id)
        origin = Origin(
            NAME,
            address(url),
            authorization(
                auth_token=auth_token,
                user_id=user_id,
                personal_access_token=personal_access_token,
                datasource_id=datasource_id,
                datasource_secret=datasource_secret,
            ),
            explain,
            Gate(max_in_flight),
        )
        super().__init__(origin, session)
        self.api = Api(self)
        self.catalog = Catalog(self)
        self.runs = Runs(Adapter(self, self.organization_id), self.origin.gate.limit)

    def deployment(self, deployment_id: str) -> Deployment:
        """The handle of a deployment; no request is made.

        Args:
            deployment_id: The deployment, thirteen digits.

        Raises:
            InvalidInput: The id is empty or not text.
        """
        return Deployment(self.runs, deployment_id)

    def _options(self, share: float) -> dict[str, Any]:
        return {
            "organization_id": self.organization_id,
            "url": self.origin.base_url,
            "max_in_flight": self.origin.gate.limit,
        }

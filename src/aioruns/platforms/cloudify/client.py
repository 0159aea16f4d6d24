"""The Cloudify client: where it connects, and the way to deployments."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar

from aioruns.errors import InvalidInput
from aioruns.http.auth import Headers
from aioruns.http.gate import Gate
from aioruns.origin import Origin
from aioruns.platforms.client import Client
from aioruns.platforms.cloudify.adapter import Adapter, ChooseIds
from aioruns.platforms.cloudify.config import resolve, tls_settings
from aioruns.platforms.cloudify.deployment import Deployment
from aioruns.platforms.cloudify.deployment_group import DeploymentGroup
from aioruns.platforms.cloudify.event_log import Events
from aioruns.platforms.cloudify.execution_groups import ExecutionGroups
from aioruns.platforms.cloudify.execution_schedules import ExecutionSchedules
from aioruns.platforms.cloudify.executions import Executions
from aioruns.platforms.cloudify.explain import explain
from aioruns.platforms.cloudify.group_run import GroupRun
from aioruns.platforms.cloudify.group_starting import GroupStarter
from aioruns.platforms.cloudify.summary import Summaries
from aioruns.runs import Runs
from aioruns.session import Session


class Cloudify(Client):
    """A Cloudify Manager.

    Arguments win over the environment: CLOUDIFY_HOST, CLOUDIFY_TENANT, and
    CLOUDIFY_USERNAME with CLOUDIFY_PASSWORD or CLOUDIFY_TOKEN. (The official client
    reads none of these.) Credentials of exactly one kind must result.

    Args:
        host: A host name, or an address such as `https://manager.example`; by default
            `localhost`.
        username: User for basic authentication, together with `password`.
        password: The user's password.
        token: An API token; cheaper for the manager than a password.
        execution_token: The token of an execution, inside of a workflow.
        tenant: The tenant; by default `default_tenant`.
        protocol: `http` or `https`, beside a bare host name; by default `http`, or
            `https` for port 443.
        port: Port, beside a bare host name.
        api_version: Version of the REST API.
        choose_ids: How a submission is found again after its answer was lost. True:
            its key makes the execution's id, which only the role `sys_admin` may
            choose. False: its key is passed as the workflow parameter `_aioruns_key`,
            and undeclared parameters are permitted. `auto`: ids, and parameters as
            soon as the manager refuses them.
        cert: File of the certificate authority that the manager's certificate is
            from, or a directory of such; for a session of the client's own.
        trust_all: Take any certificate, which protects from nobody; for a session of
            the client's own.
        session: A session to share; without one the client makes its own.
        max_in_flight: Requests at once.

    Raises:
        MissingCredentials: No credentials were found.
        InvalidInput: More than one kind was found, or a value cannot be right.

    Attributes:
        executions: The operations on executions.
        execution_groups: The operations on execution groups.
        execution_schedules: The operations on execution schedules.
        events: The operations on events and logs.
        summary: Counters.
        starter: Starts execution groups once, for `deployment_group`.

    Example:
        ```python
        async with aioruns.Cloudify("https://manager.example", token=token) as cloudify:
            run = await cloudify.deployment("web-1").submit("scale", {"delta": 2})
            async for event in run.logs():
                print(event.timestamp, event.source, event.message)
        ```
    """

    _stand_in: ClassVar[Mapping[str, str]] = {"token": "-"}

    def __init__(
        self,
        host: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        execution_token: str | None = None,
        tenant: str | None = None,
        protocol: str | None = None,
        port: int | None = None,
        api_version: str = "v3.1",
        choose_ids: ChooseIds = "auto",
        cert: str | PathLike[str] | None = None,
        trust_all: bool = False,
        session: Session | None = None,
        max_in_flight: int = 64,
    ) -> None:
        if choose_ids not in {"auto", True, False}:
            raise InvalidInput(
                f"choose_ids must be 'auto', True or False, not {choose_ids!r}"
            )
        if max_in_flight < 1:
            raise InvalidInput(f"max_in_flight must be at least 1, not {max_in_flight}")
        connection = resolve(
            host,
            username=username,
            password=password,
            token=token,
            execution_token=execution_token,
            tenant=tenant,
            protocol=protocol,
            port=port,
            api_version=api_version,
        )
        if session is not None and (cert is not None or trust_all):
            raise InvalidInput(
                "cert and trust_all are for a session of the client's own: give the "
                "shared one its certificates with Session(tls=...)"
            )
        tls = tls_settings(cert, trust_all=trust_all)
        gate = Gate(max_in_flight)
        auth = Headers(connection.headers)
        super().__init__(
            Origin("cloudify", connection.url, auth, explain, gate), session, tls
        )
        self._given = {
            "host": connection.url.removesuffix(f"/api/{api_version}"),
            "tenant": connection.headers["Tenant"],
            "api_version": api_version,
            "choose_ids": choose_ids,
            "cert": cert,
            "trust_all": trust_all,
        }
        self.runs = Runs(Adapter(self, choose_ids), self.origin.gate.limit)
        self.executions = Executions(self)
        self.execution_groups = ExecutionGroups(self)
        self.execution_schedules = ExecutionSchedules(self)
        self.events = Events(self)
        self.summary = Summaries(self)
        self.starter = GroupStarter(self, choose_ids)

    def deployment(self, deployment_id: str) -> Deployment:
        """The handle of a deployment; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return Deployment(self, deployment_id)

    def _options(self, share: float) -> dict[str, Any]:
        return {**self._given, "max_in_flight": self.origin.gate.limit}

    def deployment_group(self, deployment_group_id: str) -> DeploymentGroup:
        """The handle of a deployment group; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return DeploymentGroup(self, deployment_group_id)

    def execution_group(self, execution_group_id: str) -> GroupRun:
        """The handle of an execution group that exists already; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return GroupRun(self, execution_group_id)

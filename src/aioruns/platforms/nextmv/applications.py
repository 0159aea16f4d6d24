"""What the platform keeps of applications (wire/nextmv.md 3.1)."""

from attrs import frozen

from aioruns.errors import InvalidInput, NotFound
from aioruns.http.request import path
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.models.applications import ApplicationRecord
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.things import Paths, Things, given


@frozen
class _Top(Paths):
    """Addresses of applications, which are inside nothing."""

    app_id: str = ""
    kind: tuple[str, ...] = ()

    def all(self) -> str:
        """The collection."""
        return path("v1", "applications")

    def one(self, thing_id: str, *rest: str) -> str:
        """One application, or something below it."""
        return path("v1", "applications", thing_id, *rest)


def applications(client: Client) -> Things:
    """Reads and writes applications."""
    return Things(client, _Top())


async def read(client: Client, app_id: str) -> ApplicationRecord:
    """Read one."""
    return await applications(client).get(app_id, ApplicationRecord)


async def exists(client: Client, app_id: str) -> bool:
    """Whether there is one with this id; other errors than 404 are raised."""
    try:
        await read(client, app_id)
    except NotFound:
        return False
    return True


async def new(
    client: Client,
    name: str | None,
    app_id: str | None,
    *,
    description: str | None,
    is_workflow: bool | None,
    exist_ok: bool,
    default_instance_id: str | None,
    default_experiment_instance: str | None,
) -> ApplicationRecord:
    """Create one, or take the one that is there; see `Application.new`."""
    if exist_ok and not app_id:
        raise InvalidInput("exist_ok needs the id of the application")
    if exist_ok and app_id and await exists(client, app_id):
        return await read(client, app_id)
    chosen = app_id or safe_id("app")
    body = given(
        id=chosen,
        name=name or chosen,
        description=description,
        is_pipeline=is_workflow,
        default_instance=default_instance_id,
        default_experiment_instance=default_experiment_instance,
    )
    return await applications(client).new(body, ApplicationRecord)


async def update(
    client: Client,
    app_id: str,
    *,
    name: str | None,
    description: str | None,
    default_instance_id: str | None,
    default_experiment_instance: str | None,
) -> ApplicationRecord:
    """Change what is given, and leave everything else as it is (7.3)."""
    changes = given(
        name=name,
        description=description,
        default_instance=default_instance_id,
        default_experiment_instance=default_experiment_instance,
    )
    return await applications(client).replace(app_id, changes, ApplicationRecord)

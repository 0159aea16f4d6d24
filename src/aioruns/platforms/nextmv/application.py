"""The handle of an application: specs, submissions, pushes."""

from os import PathLike
from typing import Self

from aioruns.errors import InvalidInput
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import applications
from aioruns.platforms.nextmv.acceptances import Acceptances
from aioruns.platforms.nextmv.batches import Batches
from aioruns.platforms.nextmv.describing import (
    Configuration,
    ExternalResult,
    describe,
    described,
)
from aioruns.platforms.nextmv.documented import DocumentedNames
from aioruns.platforms.nextmv.ensembles import Ensembles
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.instances import Instances
from aioruns.platforms.nextmv.jsontext import JsonConfigurations
from aioruns.platforms.nextmv.managed_inputs import ManagedInputs
from aioruns.platforms.nextmv.models.applications import ApplicationRecord
from aioruns.platforms.nextmv.models.inputs import Options
from aioruns.platforms.nextmv.pushing import Pushing
from aioruns.platforms.nextmv.recorded import Recorded, record_of
from aioruns.platforms.nextmv.run_assets import RunAssets
from aioruns.platforms.nextmv.run_cloning import RunCloning
from aioruns.platforms.nextmv.run_comparing import RunComparing
from aioruns.platforms.nextmv.run_operations import RunOperations
from aioruns.platforms.nextmv.run_polling import RunPolling
from aioruns.platforms.nextmv.run_reading import RunReading
from aioruns.platforms.nextmv.run_tailing import RunTailing
from aioruns.platforms.nextmv.scenarios import Scenarios
from aioruns.platforms.nextmv.secrets import Secrets
from aioruns.platforms.nextmv.shadows import Shadows
from aioruns.platforms.nextmv.sources import RunInput
from aioruns.platforms.nextmv.sweeps import Sweeps
from aioruns.platforms.nextmv.switchbacks import Switchbacks
from aioruns.platforms.nextmv.uploads import Uploads
from aioruns.platforms.nextmv.versions import Versions
from aioruns.runs import Run, RunSpec

_LONGEST_NAME = 128
_LONGEST_DESCRIPTION = 180
"""Characters; the platform keeps 256, of which the submission key takes its part."""


class Application(DocumentedNames):
    """An application on Nextmv, reached by its id.

    Args:
        client: The platform.
        id: The application's id.
        default_instance_id: The instance that runs where a call names none. If it is
            not given, that of the record; without that too, the platform decides.
        record: What the platform keeps of it, if that was read.

    Attributes:
        record: What the platform keeps of it; None for a handle that was made without
            asking, whose name, description and so on cannot be read.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        default_instance_id: str | None = None,
        *,
        record: ApplicationRecord | None = None,
    ) -> None:
        if not id:
            raise InvalidInput("the application id must not be empty")
        self.client = client
        self.id = id
        self.record = record
        if record is not None and not default_instance_id:
            default_instance_id = record.default_instance_id or None
        self._default_instance_id = default_instance_id
        self.assets = RunAssets(client, id)
        self.ensembles = Ensembles(client, id)
        self.input_sets = InputSets(client, id)
        self.instances = Instances(client, id)
        self.managed_inputs = ManagedInputs(client, id)
        self.runs = RunOperations(client, id, default_instance_id)
        self.run_reading = RunReading(client, id)
        self.run_cloning = RunCloning(client, id, self.run_reading, default_instance_id)
        self.run_comparing = RunComparing(self.run_reading)
        self.run_polling = RunPolling(
            client, self.runs, self.run_reading, self.run_cloning
        )
        self.run_tailing = RunTailing(client, id)
        self.secrets = Secrets(client, id)
        self.uploads = Uploads(client, id)
        self.versions = Versions(client, id)
        self.acceptances = Acceptances(client, id)
        self.batches = Batches(client, id)
        self.scenarios = Scenarios(client, id)
        self.shadows = Shadows(client, id)
        self.sweeps = Sweeps(client, id, default_instance_id)
        self.switchbacks = Switchbacks(client, id)
        self.pushing = Pushing(client, id, self.versions)

    def __repr__(self) -> str:
        return f"Application({self.client!r}, {self.id!r})"

    @property
    def default_instance_id(self) -> str | None:
        """The instance that runs where a call names none."""
        if self._default_instance_id:
            return self._default_instance_id
        return record_of(self, "default_instance_id").default_instance_id

    name = Recorded(lambda record: record.name)
    description = Recorded(lambda record: record.description)
    type = Recorded(lambda record: record.type)
    default_experiment_instance = Recorded(
        lambda record: record.default_experiment_instance
    )
    subscription_id = Recorded(lambda record: record.subscription_id)
    locked = Recorded(lambda record: record.locked)
    created_at = Recorded(lambda record: record.created_at)
    updated_at = Recorded(lambda record: record.updated_at)

    @classmethod
    async def get(cls, client: Client, id: str) -> Self:
        """Read an application.

        Args:
            client: The platform.
            id: The application's id.

        Returns:
            The handle, with its record.

        Raises:
            NotFound: There is no such application.

        Example:
            ```python
            app = await Application.get(nextmv, "routing")
            print(app.name, app.default_instance_id)
            ```
        """
        record = await applications.read(client, id)
        return cls(client, record.id, record=record)

    @classmethod
    async def new(
        cls,
        client: Client,
        name: str | None = None,
        id: str | None = None,
        description: str | None = None,
        is_workflow: bool | None = None,
        exist_ok: bool = False,
        default_instance_id: str | None = None,
        default_experiment_instance: str | None = None,
    ) -> Self:
        """Create an application.

        Args:
            client: The platform.
            name: Name for people; the id if not given.
            id: The id; yours to choose, so creating it twice makes one application.
                Made up if not given.
            description: Text for people.
            is_workflow: Whether it is a workflow of other applications.
            exist_ok: Whether an application that exists already is taken as it is.
            default_instance_id: The instance that runs where a run names none.
            default_experiment_instance: The instance of experiments.

        Returns:
            The handle, with its record.

        Raises:
            InvalidInput: `exist_ok` without an id.
            Conflict: There is one with this id, and `exist_ok` is false.
        """
        record = await applications.new(
            client,
            name,
            id,
            description=description,
            is_workflow=is_workflow,
            exist_ok=exist_ok,
            default_instance_id=default_instance_id,
            default_experiment_instance=default_experiment_instance,
        )
        return cls(client, record.id, record=record)

    @staticmethod
    async def exists(client: Client, id: str) -> bool:
        """Whether there is an application with this id."""
        return await applications.exists(client, id)

    async def update(
        self,
        name: str | None = None,
        description: str | None = None,
        default_instance_id: str | None = None,
        default_experiment_instance: str | None = None,
    ) -> Self:
        """Change some properties, and leave everything else as it is.

        Args:
            name: The new name; None keeps it, as with the others.
            description: The new description.
            default_instance_id: The instance that runs where a run names none.
            default_experiment_instance: The instance of experiments.

        Returns:
            A handle with the new record.
        """
        record = await applications.update(
            self.client,
            self.id,
            name=name,
            description=description,
            default_instance_id=default_instance_id,
            default_experiment_instance=default_experiment_instance,
        )
        return self.__class__(self.client, self.id, record=record)

    async def delete(self) -> None:
        """Delete the application, with everything in it."""
        await applications.applications(self.client).delete(self.id)

    def spec(
        self,
        input: RunInput = None,
        *,
        options: Options | None = None,
        name: str | None = None,
        description: str | None = None,
        instance_id: str | None = None,
        configuration: Configuration | None = None,
        upload_id: str | None = None,
        batch_experiment_id: str | None = None,
        external_result: ExternalResult | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        managed_input_id: str | None = None,
        key: str | None = None,
    ) -> RunSpec:
        """Describe a run; nothing is read or sent.

        Files and directories are read when the run is submitted.

        Args:
            input: A JSON object or array; text; a path to a file or directory; or an
                `Input`. JSON of more than 5 MiB, and everything else, goes by way of an
                upload when the run is submitted.
            options: Options of the run; values that are not text become JSON text.
                Without them, those of an `Input` count.
            name: Name for people, 128 characters at most.
            description: Text for people, 180 characters at most; the submission key is
                added to it, so that the run can be found again.
            instance_id: Which instance runs; None lets the application decide.
            configuration: The vendor's run configuration, used as it is; without one
                the format follows from the input.
            upload_id: Data that was uploaded before; an input then only tells the
                format.
            batch_experiment_id: An existing batch experiment that the run belongs to.
            external_result: What became of a run that was executed elsewhere.
            json_configurations: Arguments of `json.dumps` for everything that is sent.
            input_dir_path: A directory whose files are the input.
            managed_input_id: A managed input.
            key: The submission key; None makes a new one for every submission.

        Raises:
            InvalidInput: Something in it cannot be right, or there are two inputs of
                which one would be lost.
        """
        if name is not None:
            _check_length("name", name, _LONGEST_NAME)
        if description is not None:
            _check_length("description", description, _LONGEST_DESCRIPTION)
        payload = describe(
            input,
            self.runs.default_instance_id if instance_id is None else instance_id,
            name,
            description,
            upload_id,
            options,
            configuration,
            batch_experiment_id,
            external_result,
            json_configurations,
            input_dir_path,
            managed_input_id,
        )
        return self.client.runs.spec(self.id, payload, key)

    async def submit(
        self,
        input: RunInput = None,
        *,
        options: Options | None = None,
        name: str | None = None,
        description: str | None = None,
        instance_id: str | None = None,
        configuration: Configuration | None = None,
        upload_id: str | None = None,
        batch_experiment_id: str | None = None,
        external_result: ExternalResult | None = None,
        json_configurations: JsonConfigurations | None = None,
        input_dir_path: str | PathLike[str] | None = None,
        managed_input_id: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Submit a run, so that it exists once; arguments as of `spec`.

        Raises:
            InvalidInput: Something in it cannot be right; nothing was sent.
            CallError: The platform refused, or whether it acted stayed unknown.
        """
        if name is not None:
            _check_length("name", name, _LONGEST_NAME)
        if description is not None:
            _check_length("description", description, _LONGEST_DESCRIPTION)
        payload = described(
            input,
            self.runs.default_instance_id if instance_id is None else instance_id,
            name,
            description,
            upload_id,
            options,
            configuration,
            batch_experiment_id,
            external_result,
            json_configurations,
            input_dir_path,
            managed_input_id,
        )
        return await self.client.runs.submit_new(self.id, payload, key)

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        return self.client.runs.run(self.id, run_id)


def _check_length(name: str, value: object, longest: int) -> None:
    if not (isinstance(value, str) and len(value) <= longest):
        raise InvalidInput(f"{name} must be text of at most {longest} characters")


async def list_applications(
    client: Client, no_pagination: bool = False
) -> list[Application]:
    """Read all applications.

    Args:
        client: The platform.
        no_pagination: Whether to ask once, in the older form without pages.

    Returns:
        Handles, with their records.
    """
    found = await applications.applications(client).list(
        ApplicationRecord, no_pagination=no_pagination
    )
    return [Application(client, record.id, record=record) for record in found]

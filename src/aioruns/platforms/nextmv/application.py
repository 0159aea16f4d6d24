"""The handle of an application: specs, submissions, pushes."""

from os import PathLike
from pathlib import Path
from typing import Self

from aioruns.errors import InvalidInput, NotFound
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv import requests
from aioruns.platforms.nextmv.describing import (
    Configuration,
    ExternalResult,
    describe,
)
from aioruns.platforms.nextmv.ensembles import Ensembles
from aioruns.platforms.nextmv.handing_on import handed_on
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.instances import Instances
from aioruns.platforms.nextmv.jsontext import JsonConfigurations
from aioruns.platforms.nextmv.managed_inputs import ManagedInputs
from aioruns.platforms.nextmv.models.inputs import Options
from aioruns.platforms.nextmv.push import push
from aioruns.platforms.nextmv.run_operations import RunOperations
from aioruns.platforms.nextmv.secrets import Secrets
from aioruns.platforms.nextmv.sources import RunInput
from aioruns.platforms.nextmv.uploads import Uploads
from aioruns.platforms.nextmv.versions import Versions
from aioruns.runs import Run, RunSpec

_LONGEST_NAME = 128
_LONGEST_DESCRIPTION = 180
"""Characters; the platform keeps 256, of which the submission key takes its part."""


class Application:
    """An application on Nextmv, reached by its id.

    Args:
        client: The platform.
        id: The application's id.
    """

    def __init__(self, client: Client, id: str) -> None:
        if not id:
            raise InvalidInput("the application id must not be empty")
        self.client = client
        self.id = id
        self.ensembles = Ensembles(client, id)
        self.input_sets = InputSets(client, id)
        self.instances = Instances(client, id)
        self.managed_inputs = ManagedInputs(client, id)
        self.runs = RunOperations(client, id)
        self.secrets = Secrets(client, id)
        self.uploads = Uploads(client, id)
        self.versions = Versions(client, id)

    def __repr__(self) -> str:
        return f"Application({self.client!r}, {self.id!r})"

    @classmethod
    async def new(
        cls,
        client: Client,
        name: str,
        id: str,
        description: str | None = None,
        *,
        exist_ok: bool = False,
    ) -> Self:
        """Create an application.

        Args:
            client: The platform.
            name: Name for people.
            id: The id; yours to choose, so creating it twice makes one application.
            description: Text for people.
            exist_ok: Whether an application that exists already is taken as it is.

        Raises:
            Conflict: There is one with this id, and `exist_ok` is false.
        """
        handle = cls(client, id)
        if not (exist_ok and await cls.exists(client, id)):
            await client.send(requests.new_application(id, name, description))
        return handle

    @classmethod
    async def exists(cls, client: Client, id: str) -> bool:
        """Whether there is an application with this id."""
        try:
            await client.send(requests.get_application(id))
        except NotFound:
            return False
        return True

    async def push(self, app_dir: str | Path = ".") -> None:
        """Build, pack and upload a directory with an `app.yaml`, and make it current.

        Args:
            app_dir: The application's directory.

        Raises:
            InvalidInput: The manifest, or a file that it names, is missing or wrong;
                nothing was sent.
            CallError: The upload failed.
        """
        await push(self.client, self.id, Path(app_dir))

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
        _check_length("name", name, _LONGEST_NAME)
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
        spec = self.spec(
            input,
            options=options,
            name=name,
            description=description,
            instance_id=instance_id,
            configuration=configuration,
            upload_id=upload_id,
            batch_experiment_id=batch_experiment_id,
            external_result=external_result,
            json_configurations=json_configurations,
            input_dir_path=input_dir_path,
            managed_input_id=managed_input_id,
            key=key,
        )
        return await spec.submit()

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made."""
        return self.client.runs.run(self.id, run_id)

    # The documented names, each handed on to the resource that it is about.

    new_run = handed_on("runs", RunOperations.new_run)
    track_run = handed_on("runs", RunOperations.track_run)
    upload_url = handed_on("uploads", Uploads.upload_url)
    upload_data = handed_on("uploads", Uploads.upload_data)
    upload_large_input = handed_on("uploads", Uploads.upload_large_input)

    new_version = handed_on("versions", Versions.new_version)
    version = handed_on("versions", Versions.version)
    version_exists = handed_on("versions", Versions.version_exists)
    list_versions = handed_on("versions", Versions.list_versions)
    update_version = handed_on("versions", Versions.update_version)
    delete_version = handed_on("versions", Versions.delete_version)

    new_instance = handed_on("instances", Instances.new_instance)
    instance = handed_on("instances", Instances.instance)
    instance_exists = handed_on("instances", Instances.instance_exists)
    list_instances = handed_on("instances", Instances.list_instances)
    update_instance = handed_on("instances", Instances.update_instance)
    delete_instance = handed_on("instances", Instances.delete_instance)

    new_managed_input = handed_on("managed_inputs", ManagedInputs.new_managed_input)
    managed_input = handed_on("managed_inputs", ManagedInputs.managed_input)
    list_managed_inputs = handed_on("managed_inputs", ManagedInputs.list_managed_inputs)
    update_managed_input = handed_on(
        "managed_inputs", ManagedInputs.update_managed_input
    )
    delete_managed_input = handed_on(
        "managed_inputs", ManagedInputs.delete_managed_input
    )

    new_input_set = handed_on("input_sets", InputSets.new_input_set)
    input_set = handed_on("input_sets", InputSets.input_set)
    list_input_sets = handed_on("input_sets", InputSets.list_input_sets)
    update_input_set = handed_on("input_sets", InputSets.update_input_set)
    delete_input_set = handed_on("input_sets", InputSets.delete_input_set)

    new_secrets_collection = handed_on("secrets", Secrets.new_secrets_collection)
    secrets_collection = handed_on("secrets", Secrets.secrets_collection)
    list_secrets_collections = handed_on("secrets", Secrets.list_secrets_collections)
    update_secrets_collection = handed_on("secrets", Secrets.update_secrets_collection)
    delete_secrets_collection = handed_on("secrets", Secrets.delete_secrets_collection)

    new_ensemble_definition = handed_on("ensembles", Ensembles.new_ensemble_definition)
    new_ensemble_defintion = handed_on("ensembles", Ensembles.new_ensemble_defintion)
    ensemble_definition = handed_on("ensembles", Ensembles.ensemble_definition)
    list_ensemble_definitions = handed_on(
        "ensembles", Ensembles.list_ensemble_definitions
    )
    update_ensemble_definition = handed_on(
        "ensembles", Ensembles.update_ensemble_definition
    )
    delete_ensemble_definition = handed_on(
        "ensembles", Ensembles.delete_ensemble_definition
    )


def _check_length(name: str, value: str | None, longest: int) -> None:
    if value is not None and not (isinstance(value, str) and len(value) <= longest):
        raise InvalidInput(f"{name} must be text of at most {longest} characters")

"""Pushing programs to an application (wire/nextmv.md 6)."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import anyio.to_thread

from aioruns.http.clock import Clock
from aioruns.http.request import Progress
from aioruns.platforms.client import Client
from aioruns.platforms.nextmv.manifest import Manifest
from aioruns.platforms.nextmv.modelling import Configured, Model, checked, prepared
from aioruns.platforms.nextmv.naming import safe_id
from aioruns.platforms.nextmv.push import push
from aioruns.platforms.nextmv.saying import sayer
from aioruns.platforms.nextmv.sources import HasDict
from aioruns.platforms.nextmv.versions import Versions


class Pushing:
    """Pushes programs; reached as `application.pushing`.

    Args:
        client: The platform.
        app_id: The application.
        versions: Makes versions of what was pushed.
    """

    def __init__(self, client: Client, app_id: str, versions: Versions) -> None:
        self._client = client
        self._app_id = app_id
        self._versions = versions

    async def push(
        self,
        manifest: Manifest | Mapping[str, Any] | HasDict | None = None,
        app_dir: str | PathLike[str] | None = None,
        verbose: bool = False,
        model: Model | None = None,
        model_configuration: Configured | None = None,
        rich_print: bool = False,
        no_version: bool | None = None,
        version_id: str | None = None,
        version_name: str | None = None,
        version_description: str | None = None,
        no_cache: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Build, pack and upload a program, and make it the current one.

        What is pushed is a directory: the files that the manifest lists, after its
        commands were run, and the Python packages that it asks for. Or it is a model
        in memory, which is packed by mlflow in a temporary directory, together with the
        files that the manifest lists. The archive is streamed from a temporary file.

        As with the newer official client no version is made, unless something is said
        about one; `no_version=False` makes one as the older client did.

        Args:
            manifest: What to push; the `app.yaml` of the directory if not given.
            app_dir: The application's directory; the current one if not given. It is
                only read, except by the manifest's own commands.
            verbose: Whether to write the steps to standard error.
            model: A model in memory, for example an instance of `nextmv.Model`.
            model_configuration: The model's name, requirements and options.
            rich_print: Whether to write the steps with `rich`.
            no_version: True makes no version, and False makes one. If it is not given,
                one is made if its id, name or description is.
            version_id: Id of the version; made up if not given.
            version_name: Name of the version for people.
            version_description: Text about the version for people.
            no_cache: Whether pip fetches all packages anew.
            progress: Called with the bytes uploaded so far, and with all of them.

        Raises:
            InvalidInput: The manifest, or a file or package that it names, is missing
                or wrong, or a command failed; nothing was sent.
            TypeError: The model or its configuration is none.
            CallError: The upload failed.

        Example:
            ```python
            await app.push(app_dir="model", version_id="v7")
            ```
        """
        say = await sayer(verbose=verbose, rich_print=rich_print)
        directory, given = Path(app_dir or "."), _as_manifest(manifest)
        if model is None and model_configuration is None:
            await push(
                self._client,
                self._app_id,
                directory,
                given,
                no_cache=no_cache,
                say=say,
                progress=progress,
            )
        else:
            packed, configured = checked(model, model_configuration)
            if given is None:
                given = await anyio.to_thread.run_sync(Manifest.from_yaml, directory)
            async with prepared(packed, configured, given, directory) as (place, made):
                await push(
                    self._client,
                    self._app_id,
                    place,
                    made,
                    no_cache=no_cache,
                    say=say,
                    progress=progress,
                )
        if no_version is None:
            no_version = not (version_id or version_name or version_description)
        if not no_version:
            clock = self._client.session.clock
            await self._versions.new_version(
                *_version(clock, version_id, version_name, version_description)
            )
            say("made a version")


def _as_manifest(
    given: Manifest | Mapping[str, Any] | HasDict | None,
) -> Manifest | None:
    if given is None or isinstance(given, Manifest):
        return given
    return Manifest.from_dict(given if isinstance(given, Mapping) else given.to_dict())


def _version(
    clock: Clock, id: str | None, name: str | None, description: str | None
) -> tuple[str, str, str]:
    """Id, name and description, made up as documented (wire/nextmv.md 6.1)."""
    now = clock.utc().replace(tzinfo=None)
    chosen = id or f"{safe_id('version')}-{now:%Y%m%d-%H%M%S}"
    said = f"Version created automatically from push at {now.isoformat()}Z"
    return chosen, name or f"Version {chosen}", description or said

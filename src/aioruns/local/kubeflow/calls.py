"""One request, as the operations see it."""

import re
from collections.abc import Mapping

from aiohttp import web
from attrs import define

from aioruns.local.kubeflow.errors import not_found
from aioruns.local.kubeflow.installation import Installation
from aioruns.local.kubeflow.messages import Message, loads, parse
from aioruns.local.records import Json, RunRecord


@define
class Call:
    """A routed request."""

    service: Installation
    request: web.Request
    version: str
    """`v1beta1` or `v2beta1`."""
    ids: Mapping[str, str]
    """The path's parameters."""

    async def body(self, kind: Message) -> dict[str, Json]:
        """Read and check the body; only G3 refuses unknown keys."""
        value = loads(await self.request.read())
        strict = self.service.generation == "G3"
        checked: dict[str, Json] = parse(kind, value, strict=strict)
        return checked

    def run(self) -> RunRecord:
        """The run that the path names.

        Raises:
            Refusal: 404 when there is none.
        """
        record = self.service.find(self.ids["run_id"])
        if record is None:
            raise not_found(self.ids["run_id"])
        return record

    def query(self) -> dict[str, str]:
        """The query under snake_case names; clients may write camelCase."""
        return {
            re.sub(r"[A-Z]", lambda sign: "_" + sign.group().lower(), key): value
            for key, value in self.request.query.items()
        }

"""One request, as the operations see it."""

import re
from collections.abc import Mapping

from aiohttp import web
from attrs import define

from aioruns.local.kubeflow.errors import not_found
from aioruns.local.kubeflow.installation import Installation
from aioruns.local.kubeflow.messages import Message, loads, parse
from aioruns.local.kubeflow.rows import detail
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
    user: str = ""
    """Who asks; empty on single-user servers."""

    async def body(self, kind: Message) -> dict[str, Json]:
        """Read and check the body; only G3 refuses unknown keys."""
        value = loads(await self.request.read())
        strict = self.service.generation == "G3"
        checked: dict[str, Json] = parse(kind, value, strict=strict)
        return checked

    def run(self, verb: str) -> RunRecord:
        """The run that the path names.

        Args:
            verb: What the user wants to do with it.

        Raises:
            Refusal: 404 when there is none, 403 when the user may not.
        """
        record = self.service.find(self.ids["run_id"])
        if record is None:
            raise not_found(self.ids["run_id"])
        self.check(verb, detail(record)["namespace"])
        return record

    def check(self, verb: str, namespace: str) -> None:
        """Refuse what the user may not do in a namespace."""
        service = self.service
        service.access.check(self.user, verb, namespace, service.generation)

    def query(self) -> dict[str, str]:
        """The query under snake_case names; clients may write camelCase."""
        return {
            re.sub(r"[A-Z]", lambda sign: "_" + sign.group().lower(), key): value
            for key, value in self.request.query.items()
        }

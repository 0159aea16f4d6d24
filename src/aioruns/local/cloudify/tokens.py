"""API tokens: `ctok-<id>-<secret>`, shown once (wire/cloudify.md 1.2)."""

import hashlib
import re
import secrets
import string
from datetime import UTC, datetime, timedelta

from aiohttp import web

from aioruns.local.cloudify.answers import Refusal, as_json, bad
from aioruns.local.cloudify.guard import caller_of, json_object
from aioruns.local.cloudify.naming import PLATFORM
from aioruns.local.cloudify.queries import Columns, stamp
from aioruns.local.cloudify.tables import listed
from aioruns.local.cloudify.users import OTHERS_TOKENS, Caller
from aioruns.local.engine import Engine
from aioruns.local.records import Json, utcnow

_KIND = "token"
_LETTERS = string.ascii_letters + string.digits
_RELATIVE = re.compile(r"\+\s*(\d+)\s*(min(?:ute)?|h(?:our)?|d(?:ay)?|w(?:eek)?)s?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Token = dict[str, Json]

_FIELDS: Columns[Token] = {
    "id": lambda token: token["id"],
    "username": lambda token: token["username"],
    "value": lambda token: token.get("value", f"ctok-{token['id']}-********"),
    "role": lambda token: token["role"],
    "expiration_date": lambda token: _stamp(token["expires"]),
    "last_used": lambda token: _stamp(token.get("last_used")),
    "description": lambda token: token["description"],
}


class Tokens:
    """The handlers of `/tokens`, and who a token belongs to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # On disk it would cost a write with every request.
        self._used: dict[str, datetime] = {}

    def owner(self, value: str) -> tuple[str, str] | None:
        """The user and the role that a token stands for, if it is good."""
        kind, _, rest = value.partition("-")
        token_id, _, secret = rest.partition("-")
        token = self._engine.document(PLATFORM, _KIND, token_id)
        if kind != "ctok" or token is None:
            return None
        if not secrets.compare_digest(token["hash"], _hash(secret)):
            return None
        if token["expires"] and datetime.fromisoformat(token["expires"]) <= utcnow():
            return None
        self._used[token_id] = utcnow()
        return token["username"], token["role"]

    async def create(self, request: web.Request) -> web.Response:
        """`POST /tokens`."""
        body = await json_object(request)
        description, expiration = body.get("description"), body.get("expiration_date")
        if description is not None and not isinstance(description, str):
            raise bad("`description` must be a string")
        caller, secret = caller_of(request), secrets.token_urlsafe(30)
        token: Token = {
            "id": "".join(secrets.choice(_LETTERS) for _ in range(10)),
            "hash": _hash(secret),
            "username": caller.name,
            "role": caller.role,
            "description": description,
            "expires": _expiration(expiration) if expiration else None,
        }
        await self._engine.put(PLATFORM, _KIND, token["id"], token)
        shown = token | {"value": f"ctok-{token['id']}-{secret}"}
        return as_json({name: read(shown) for name, read in _FIELDS.items()})

    async def listing(self, request: web.Request) -> web.Response:
        """`GET /tokens`: the caller's own, or everybody's for an administrator."""
        caller = caller_of(request)
        rows = [token for token in self._all() if _manages(caller, token)]
        return listed(rows, request.query, _FIELDS, "Token")

    async def one(self, request: web.Request) -> web.Response:
        """`GET /tokens/{id}`."""
        token = self._found(request)
        return as_json({name: read(token) for name, read in _FIELDS.items()})

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE /tokens/{id}`."""
        await self._engine.drop(PLATFORM, _KIND, self._found(request)["id"])
        return web.Response(status=204)

    def _all(self) -> list[Token]:
        found = self._engine.documents(PLATFORM, _KIND).values()
        return [self._with_use(token) for token in found]

    def _with_use(self, token: Token) -> Token:
        used = self._used.get(token["id"])
        return token | {"last_used": used.isoformat() if used else None}

    def _found(self, request: web.Request) -> Token:
        token_id = request.match_info["id"]
        token: Token | None = self._engine.document(PLATFORM, _KIND, token_id)
        if token is None or not _manages(caller_of(request), token):
            text = f"Could not find token {token_id}"
            raise Refusal(404, "not_found_error", text)
        return self._with_use(token)


def _manages(caller: Caller, token: Token) -> bool:
    return token["username"] == caller.name or caller.may(OTHERS_TOKENS)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def _stamp(text: str | None) -> str | None:
    return None if text is None else stamp(datetime.fromisoformat(text))


def _expiration(text: Json) -> str:
    if isinstance(text, str):
        relative = _RELATIVE.fullmatch(text.strip())
        if relative:
            unit = _UNITS[relative[2][0]]
            return (utcnow() + timedelta(**{unit: int(relative[1])})).isoformat()
        try:
            when = datetime.strptime(text.strip(), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the next line says UTC
            return when.replace(tzinfo=UTC).isoformat()
        except ValueError:
            pass
    raise bad(
        "`expiration_date` must be like 2030-01-31 18:00 (UTC), +10h, +30 minutes or "
        f"+1 day, not `{text}`"
    )

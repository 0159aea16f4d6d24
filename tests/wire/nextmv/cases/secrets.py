"""Secrets collections (wire/nextmv.md 3.11)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

SUMMARY = ok(shapes.secrets_summary())
WHOLE = ok(shapes.secrets_summary(secrets=shapes.SECRETS))
BARE = {
    "id": "one",
    "application_id": "",
    "name": "",
    "description": "",
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}
ENV = 'Secret(secret_type=SecretType.ENV, location="TOKEN", value="t0")'
FILE = 'Secret(secret_type=SecretType.FILE, location="a/b.lic", value="x\\ny ü")'


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_secrets_collection({arguments})"
    return Case("new_secrets_collection", name, call, answers or (SUMMARY,), **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_secrets_collection({arguments})"
    given = answers or (WHOLE, SUMMARY)
    return Case("update_secrets_collection", name, call, given, **more)


CASES: list[Case] = [
    _new("two", f'secrets=[{ENV}, {FILE}], id="keys", name="Keys"'),
    _new("positional", f'[{ENV}], "keys", "Keys", "d ü"'),
    _new("empty-texts", f'secrets=[{ENV}], id="keys", name="", description=""'),
    _new("generated", f"secrets=[{ENV}]", generated=("secrets",)),
    _new("none", 'secrets=[], id="keys"', official_fails=True),
    _new("refused", f'secrets=[{ENV}], id="keys"', fails(400)),
    *common.reads(
        "secrets_collection",
        shapes.secrets_summary(secrets=shapes.SECRETS),
        BARE | {"secrets": []},
    ),
    Case(
        "secrets_collection",
        "unknown-kind",
        'app.secrets_collection(secrets_collection_id="one")',
        (
            ok(
                shapes.secrets_summary(
                    secrets=[{"type": "vault", "location": "l", "value": "*"}]
                )
            ),
        ),
        official_fails=True,
    ),
    *common.lists(
        "list_secrets_collections",
        shapes.secrets_summary,
        BARE,
        wrapped=True,
    ),
    _update("name", 'secrets_collection_id="keys", name="N"', SUMMARY),
    _update("both", '"keys", "N", ""', SUMMARY),
    _update("secrets", f'"keys", secrets=[{ENV}, {FILE}]'),
    _update(
        "raw-secrets",
        '"keys", name="N", description="d", secrets=[{"type": "env",'
        ' "location": "NEW", "value": "v"}]',
    ),
    _update("keeping", f'"keys", secrets=[{FILE}], keep_existing=True', WHOLE, SUMMARY),
    _update("no-secrets", '"keys", name="N", secrets=[]', SUMMARY),
    _update("nothing", '"keys"', official_fails=True),
    _update("twice", f'"keys", secrets=[{ENV}, {ENV}]', official_fails=True),
    _update("missing", f'"keys", secrets=[{ENV}]', fails(404)),
    *common.deletes("delete_secrets_collection", "secrets_collection_id"),
]

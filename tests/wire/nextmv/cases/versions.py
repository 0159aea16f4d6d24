"""Versions (wire/nextmv.md 3.12)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

RICH = ok(shapes.version())
BARE = {
    "id": "one",
    "application_id": "",
    "name": "",
    "description": "",
    "executable": {
        "id": "",
        "user_email": "",
        "uploaded_at": shapes.CREATED,
        "requirements": {"executable_type": "", "runtime": ""},
    },
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_version({arguments})"
    return Case("new_version", name, call, answers or (RICH,), **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_version({arguments})"
    return Case("update_version", name, call, answers or (RICH, RICH), **more)


_MORE_REQUIREMENTS = shapes.version()
_MORE_REQUIREMENTS["executable"] = _MORE_REQUIREMENTS["executable"] | {
    "requirements": {"executable_type": "go", "runtime": "r", "unheard": [1]},
    "unheard": None,
}

CASES: list[Case] = [
    _new("plain", 'id="v3", name="Version 3"'),
    _new("positional", '"v3", "Version 3", "d ü"'),
    _new("empty-texts", 'id="v3", name="", description=""'),
    _new("generated", "", generated=("version",)),
    _new("exists", 'id="v3", exist_ok=True', RICH, RICH),
    _new("made", 'id="v3", name="V", exist_ok=True', fails(404), RICH),
    _new("exist-ok-without-id", "exist_ok=True", official_fails=True),
    _new("conflict", 'id="v3"', fails(409)),
    *common.reads("version", shapes.version(), BARE),
    *common.exists("version_exists", "version_id", shapes.version()),
    *common.lists("list_versions", shapes.version, BARE),
    _update("name", 'version_id="v3", name="N"'),
    _update("both", '"v3", "N", ""'),
    _update("more-requirements", '"v3", description="d"', ok(_MORE_REQUIREMENTS), RICH),
    _update("nothing", '"v3"', ok(BARE), ok(BARE)),
    _update("missing", '"v3", name="N"', fails(404)),
    *common.deletes("delete_version", "version_id"),
]

"""Instances (wire/nextmv.md 3.9)."""

from typing import Any

from tests.wire.nextmv.case import Answer, Case, fails, ok
from tests.wire.nextmv.cases import common, shapes

RICH = ok(shapes.instance())
BARE = {
    "id": "one",
    "application_id": "routing",
    "version_id": "",
    "name": "",
    "description": "",
    "configuration": {},
    "locked": True,
    "created_at": shapes.CREATED,
    "updated_at": shapes.CREATED,
}
CONFIGURATION = (
    'InstanceConfiguration(execution_class="big", options={"threads": 4, "n": None},'
    ' secrets_collection_id="keys", queuing=RunQueuing(priority=1, disabled=True),'
    " format=Format(format_input=FormatInput(input_type='multi-file'),"
    " format_output=FormatOutput(output_type='json')))"
)


def _new(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.new_instance({arguments})"
    return Case("new_instance", name, call, answers or (RICH,), **more)


def _update(name: str, arguments: str, *answers: Answer, **more: Any) -> Case:
    call = f"app.update_instance({arguments})"
    return Case("update_instance", name, call, answers or (RICH, RICH), **more)


CASES: list[Case] = [
    _new("plain", 'version_id="v3", id="staging", name="Staging"'),
    _new("positional", '"v3", "staging", "Staging", "d"'),
    _new(
        "everything",
        'version_id="v3", id="staging", name="S", description="d ü",'
        f" configuration={CONFIGURATION}",
    ),
    _new(
        "integration",
        'version_id="v3", id="s", name="S", configuration=InstanceConfiguration('
        'integration_id="dbx", format=Format(format_input=FormatInput('
        "input_type='json'), format_output=FormatOutput(output_type='json')))",
    ),
    _new(
        "empty-configuration",
        'version_id="v3", id="s", name="S", configuration=InstanceConfiguration()',
    ),
    _new("empty-texts", 'version_id="", id="s", name="", description=""'),
    _new("generated", 'version_id="v3"', generated=("instance",)),
    _new("exists", 'version_id="v3", id="staging", exist_ok=True', RICH, RICH),
    _new("made", 'version_id="v3", id="staging", exist_ok=True', fails(404), RICH),
    _new("exist-ok-without-id", 'version_id="v3", exist_ok=True', official_fails=True),
    _new("conflict", 'version_id="v3", id="s"', fails(409)),
    *common.reads("instance", shapes.instance(), BARE),
    Case(
        "instance",
        "integration",
        'app.instance(instance_id="one")',
        (
            ok(
                shapes.instance(
                    configuration={
                        "integration_id": "dbx",
                        "execution_class": "integration",
                        "format": {"input": {"type": "json"}},
                    }
                )
            ),
        ),
    ),
    Case(
        "instance",
        "nulls",
        'app.instance(instance_id="one")',
        (
            ok(
                shapes.instance(
                    configuration={
                        "execution_class": None,
                        "format": None,
                        "options": None,
                        "secrets_collection_id": None,
                        "queuing": {"priority": None, "disabled": None},
                        "integration_id": None,
                    }
                )
            ),
        ),
    ),
    *common.exists("instance_exists", "instance_id", shapes.instance()),
    *common.lists("list_instances", shapes.instance, BARE),
    _update("name", 'id="staging", name="N"'),
    _update("everything", '"staging", "N", "v4", "", {"options": {"a": "b"}}'),
    _update("configuration", f'id="staging", configuration={CONFIGURATION}'),
    _update("nothing", 'id="staging"', ok(BARE), ok(BARE)),
    _update(
        "lock",
        'id="staging", locked=True',
        RICH,
        RICH,
        ok(shapes.instance(locked=True)),
    ),
    _update("unlock", 'id="staging", version_id="v4", locked=False', RICH, RICH, RICH),
    _update("missing", '"staging", name="N"', fails(404)),
    _update("refused", '"staging", name="N"', RICH, fails(400)),
    _update(
        "configuration-of-wrong-type",
        '"staging", configuration="big"',
        RICH,
        official_fails=True,
    ),
    *common.deletes("delete_instance", "instance_id"),
]

"""Creating runs and triggers."""

from tests.wire.abeja.case import Answer, Case, fails, ok, refused
from tests.wire.abeja.cases.shapes import AS_TEXT, CREATED, LATER, TRIGGER

RUN = "create_run"
TRIGGER_OF = "create_trigger"
FIRST = "ORG, DEP, VER"
CHANNEL = "ORG, DEP, VER, 'datalake', '3000000000003'"


def _run(name, more="", *answers, official_fails=False):
    arguments = f"{FIRST}, {more}" if more else FIRST
    return Case(
        RUN, name, arguments, answers or (ok(CREATED),), official_fails=official_fails
    )


def _trigger(name, more="", *answers, official_fails=False):
    arguments = f"{CHANNEL}, {more}" if more else CHANNEL
    return Case(
        TRIGGER_OF,
        name,
        arguments,
        answers or (ok(TRIGGER),),
        official_fails=official_fails,
    )


CASES: list[Case] = [
    _run("least"),
    Case(
        RUN,
        "by-name",
        "organization_id=ORG, deployment_id=DEP, version_id=VER",
        (ok(CREATED),),
    ),
    _run("input", "DATA"),
    _run(
        "positional",
        "DATA, {'$datalake:1': '3'}, 1, 2, {'A': '1'}, '4000000000004'",
    ),
    _run(
        "everything",
        "input_data=DATA, output_template={'$datamart-rdb:1': '7'}, distribution=3,"
        " retry_count=9, environment={'A': '1', 'B': ''}, model_id='4000000000004'",
    ),
    _run("zeros", "retry_count=0, distribution=0"),
    _run(
        "empty-values",
        "{}, output_template={}, environment={}, model_id=''",
    ),
    _run("empty-texts", "'', output_template=''"),
    _run("nones", "None, None, None, None, None, None"),
    _run("other-letters", "{'$datalake:1': '日本/ü\\n'}, environment={'A': 'é \"'}"),
    _run("several-operators", "{'$datalake:1': '3/f', '$dataset:1': '8'}"),
    _run("reserved-name", "environment={'HANDLER': 'main:handler'}"),
    _run("odd-name", "environment={'1-a': 'x'}"),
    _run("input-as-text", '\'{"$datalake:1": "3/f"}\''),
    _run("input-is-a-list", "['3/f']"),
    _run("payload-is-a-number", "{'$datalake:1': 3}"),
    _run("variables-are-no-texts", "environment={'N': 1, 'T': True, 'U': None}"),
    _run("too-many-attempts", "retry_count=10"),
    _run("attempts-as-text", "retry_count='3'"),
    _run("output-data", "output_data={'$datalake:1': '3'}", official_fails=True),
    _run("answer-201", "", Answer(201, CREATED)),
    _run("answer-with-texts", "", ok(AS_TEXT)),
    _run("answer-of-a-later-server", "", ok(LATER)),
    _run("answer-without-id", "", ok({"status": "SUBMITTED"})),
    _run("answer-empty", "", ok(b"")),
    _run("answer-is-html", "", ok("<html>Please sign in</html>")),
    _run("answer-is-a-list", "", ok([CREATED])),
    _run("refused", "", refused(400, "bad_request", error_detail={"x": ["unknown"]})),
    _run("unauthorized", "", refused(401, "unauthorized")),
    _run("forbidden", "", refused(403, "forbidden")),
    _run("not-found", "", refused(404, "not_found", "no such version")),
    _run("conflict", "", refused(409, "conflict")),
    _run("unprocessable", "", refused(422, "unprocessable_entity")),
    _run("failed", "", *[refused(500, "internal_server_error")] * 2),
    _run("failed-then-created", "", refused(500, "internal_server_error"), ok(CREATED)),
    _run("unavailable-then-created", "", fails(503, "busy"), ok(CREATED)),
    _run("gateway", "", *[fails(504, "<html>")] * 2),
    _run("limited", "", refused(429, "too_many_requests"), ok(CREATED)),
    _trigger("least"),
    _trigger(
        "everything",
        "output_service_name='datalake', output_service_id='3', distribution=3,"
        " retry_count=9, environment={'A': '1'}, model_id='4000000000004'",
    ),
    _trigger("positional", "'datalake', '3', 1, 2, {'A': '1'}, '4'"),
    _trigger("zeros", "retry_count=0, distribution=0"),
    _trigger("empty-values", "environment={}, model_id='', output_service_name=''"),
    _trigger("half-an-output", "output_service_name='datalake'"),
    _trigger("other-half-of-an-output", "output_service_id='3'"),
    _trigger("variables-are-no-texts", "environment={'N': 1}"),
    _trigger("too-many-attempts", "retry_count=10"),
    _trigger("refused", "", refused(400, "bad_request", "only datalake")),
    _trigger("failed", "", *[refused(500, "internal_server_error")] * 2),
    _trigger("unavailable-then-made", "", fails(503, "busy"), ok(TRIGGER)),
    _trigger("answer-is-a-message", "", ok({"message": "made"})),
]

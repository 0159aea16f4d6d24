"""Reading runs, triggers, services and deployments."""

from tests.wire.abeja.case import CONNECTIONS, Answer, Case, fails, ok, refused
from tests.wire.abeja.cases.shapes import (
    AS_TEXT,
    CREATED,
    DEPLOYMENT,
    LATER,
    RUN,
    SERVICE,
    TIMES,
    TRIGGER,
    TRIGGERED,
    VERSION,
)


def _get_run(name, *answers, official_fails=False):
    return Case(
        "get_run",
        name,
        "ORG, DEP, RUN",
        answers or (ok(RUN),),
        official_fails=official_fails,
    )


def _runs(name, more="", *answers):
    arguments = f"ORG, DEP, {more}" if more else "ORG, DEP"
    return Case("get_runs", name, arguments, answers or (ok({"entries": [RUN]}),))


def _of_trigger(name, more="", *answers):
    arguments = f"ORG, DEP, TRI, {more}" if more else "ORG, DEP, TRI"
    answers = answers or (ok({"entries": [TRIGGERED]}),)
    return Case("get_trigger_runs", name, arguments, answers)


ERRORS: list[Case] = [
    _get_run("unauthorized", refused(401, "unauthorized", "Authentication failed")),
    _get_run("forbidden", refused(403, "forbidden")),
    _get_run("not-found", refused(404, "not_found", "run run-0 does not exist")),
    _get_run("not-allowed", refused(405, "method_not_allowed")),
    _get_run("conflict", refused(409, "conflict")),
    _get_run("gone", refused(410, "gone")),
    _get_run("unprocessable", refused(422, "unprocessable_entity")),
    _get_run("timed-out", refused(408, "request_timeout"), ok(RUN)),
    _get_run("not-implemented", refused(501, "not_implemented")),
    _get_run("failed", *[refused(500, "internal_server_error")] * 2),
    _get_run("gateway", *[fails(502, "<html>bad gateway</html>")] * 2),
    _get_run("failed-once", refused(503, "service_unavailable"), ok(RUN)),
    _get_run("gateway-once", fails(504, "<html>"), ok(RUN)),
    _get_run("limited", refused(429, "too_many_requests"), ok(RUN)),
    _get_run(
        "limited-with-a-pause",
        Answer(429, {"error": "too_many_requests"}, {"Retry-After": "0"}),
        ok(RUN),
    ),
    _get_run("refused-with-text", fails(400, "what?")),
    _get_run("refused-with-nothing", fails(404, b"")),
    _get_run("refused-without-words", fails(403, {})),
    _get_run("refused-without-description", fails(400, {"error": "bad_request"})),
    _get_run("refused-without-code", fails(400, {"error_description": "bad time"})),
    _get_run("refused-with-detail", refused(400, "bad", "no", error_detail={"a": []})),
    _get_run("refused-with-a-list", fails(400, ["no"]), official_fails=True),
    _get_run("refused-with-null", fails(400, "null"), official_fails=True),
    _get_run("redirected", Answer(302, b"", {"Location": "/elsewhere"}), ok(RUN)),
    _get_run("no-content", Answer(204)),
    _get_run("html", ok("<html>Please sign in</html>")),
    _get_run("list", ok([RUN])),
    _get_run("null", ok("null")),
    _get_run("half-an-answer", ok('{"run_id": "run-1", ')),
]

CONNECTED: list[Case] = [
    Case("get_run", f"as-{name}", "ORG, DEP, RUN", (ok(RUN),), connect=name)
    for name in CONNECTIONS
]

CASES: list[Case] = [
    _get_run("usual"),
    _get_run("with-distribution", ok(CREATED)),
    _get_run("with-texts", ok(AS_TEXT)),
    _get_run("of-a-later-server", ok(LATER)),
    _get_run("without-most", ok({"run_id": "run-1", "status": "RUNNING"})),
    _get_run(
        "with-nulls", ok(dict.fromkeys(RUN) | {"run_id": "r", "status": "FAILED"})
    ),
    _get_run("text-that-is-no-json", ok(RUN | {"input_data": "{"})),
    _get_run("without-status", ok({"run_id": "run-1"})),
    Case(
        "get_run",
        "by-name",
        "organization_id=ORG, deployment_id=DEP, run_id=RUN",
        (ok(RUN),),
    ),
    Case("get_run", "slash-in-the-id", "ORG, DEP, 'a/b c'", (ok(RUN),)),
    Case("get_run", "question-in-the-id", "ORG, DEP, 'a?b=c'", (ok(RUN),)),
    Case("get_run", "hash-in-the-id", "ORG, DEP, 'a#b'", (ok(RUN),)),
    Case("get_run", "empty-id", "ORG, DEP, ''", (ok({"entries": []}),)),
    _runs(
        "usual", "", ok({"entries": [RUN, CREATED], "next_page_token": "eyJwIjoyfQ=="})
    ),
    _runs("last-page"),
    _runs("nothing", "", ok({"entries": []})),
    _runs("empty-page", "", ok({"entries": [], "next_page_token": "t"})),
    _runs("forward", "scan_forward=True"),
    _runs("backward", "scan_forward=False"),
    _runs("as-text", "scan_forward='true'"),
    _runs("token", "'eyJwIjoyfQ=='"),
    _runs("odd-token", "next_page_token='a+b/c==&x 日'"),
    _runs("empty-token", "next_page_token=''"),
    _runs("token-and-direction", "'t', True"),
    _runs("nones", "None, None"),
    _runs("without-entries", "", ok({})),
    _runs("entries-are-no-list", "", ok({"entries": "none"})),
    _runs("token-is-no-text", "", ok({"entries": [], "next_page_token": 7})),
    _runs("unknown-token", "'x'", refused(400, "bad_request", "unknown token")),
    Case("get_trigger", "usual", "ORG, DEP, TRI", (ok(TRIGGER | TIMES),)),
    Case("get_trigger", "least", "ORG, DEP, TRI", (ok({"trigger_id": "tri-1"}),)),
    Case("get_trigger", "not-found", "ORG, DEP, TRI", (refused(404, "not_found"),)),
    Case("get_trigger", "slash-in-the-id", "ORG, DEP, 'a/b'", (ok(TRIGGER),)),
    Case("get_triggers", "usual", "ORG, DEP", (ok({"entries": [TRIGGER | TIMES]}),)),
    Case("get_triggers", "nothing", "ORG, DEP", (ok({"entries": []}),)),
    Case("get_triggers", "without-entries", "ORG, DEP", (ok({}),)),
    Case("get_triggers", "forbidden", "ORG, DEP", (refused(403, "forbidden"),)),
    Case(
        "delete_trigger", "usual", "ORG, DEP, TRI", (ok({"message": "tri-1 deleted"}),)
    ),
    Case("delete_trigger", "not-found", "ORG, DEP, TRI", (refused(404, "not_found"),)),
    Case(
        "delete_trigger",
        "gone-the-second-time",
        "ORG, DEP, TRI",
        (fails(502, "<html>"), refused(404, "not_found")),
    ),
    Case("delete_trigger", "empty-id", "ORG, DEP, ''", (ok({"message": "?"}),)),
    Case("delete_trigger", "no-content", "ORG, DEP, TRI", (Answer(204),)),
    _of_trigger("usual"),
    _of_trigger("forward", "scan_forward=True"),
    _of_trigger("backward-with-token", "'a+b=', False"),
    _of_trigger("empty-token", "''"),
    _of_trigger("page", "", ok({"entries": [TRIGGERED], "next_page_token": "x"})),
    _of_trigger("not-found", "", refused(404, "not_found")),
    Case("get_services", "usual", "ORG, DEP", (ok({"entries": [SERVICE]}),)),
    Case("get_services", "nothing", "ORG, DEP", (ok({"entries": []}),)),
    Case("get_service", "usual", "ORG, DEP, SER", (ok(SERVICE),)),
    Case(
        "get_service",
        "least",
        "ORG, DEP, SER",
        (ok({"service_id": "ser-1", "status": "IN_PROGRESS"}),),
    ),
    Case("get_service", "not-found", "ORG, DEP, SER", (refused(404, "not_found"),)),
    Case("get_deployments", "usual", "ORG", (ok({"entries": [DEPLOYMENT]}),)),
    Case("get_deployments", "nothing", "ORG", (ok({"entries": []}),)),
    Case("get_deployment", "usual", "ORG, DEP", (ok(DEPLOYMENT),)),
    Case("get_deployment", "not-found", "ORG, DEP", (refused(404, "not_found"),)),
    Case("get_deployment_versions", "usual", "ORG, DEP", (ok({"entries": [VERSION]}),)),
    Case("get_deployment_version", "usual", "ORG, DEP, VER", (ok(VERSION),)),
    Case(
        "get_deployment_version", "not-found", "ORG, DEP, VER", (refused(404, "gone"),)
    ),
    *ERRORS,
    *CONNECTED,
]

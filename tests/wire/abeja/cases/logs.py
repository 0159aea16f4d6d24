"""Pages of logs."""

from tests.wire.abeja.case import Case, fails, ok, refused
from tests.wire.abeja.cases.shapes import events, tokens

PLAIN = ok({"events": events("boot", "ready"), "next_token": "t1"})
RECENT = ok({"events": events("boot", "ready")[::-1], **tokens()})


def _plain(name, more="", *answers):
    arguments = f"ORG, DEP, RUN, {more}" if more else "ORG, DEP, RUN"
    return Case("get_run_logs", name, arguments, answers or (PLAIN,))


def _recent(operation, owner):
    def case(name, more="", *answers):
        arguments = f"ORG, DEP, {owner}, {more}" if more else f"ORG, DEP, {owner}"
        return Case(operation, name, arguments, answers or (RECENT,))

    return [
        case("usual"),
        case("forward", "'f/1=+ x'"),
        case("backward", "next_backward_token='b/1'"),
        case("positional", "None, 'b/1', NAIVE, NAIVE + timedelta(hours=1)"),
        case("both-tokens", "'f', 'b'"),
        case("empty-tokens", "'', ''"),
        case("window", "start_time=NAIVE, end_time=NAIVE + timedelta(days=1)"),
        case("fractions", "start_time=NAIVE.replace(microsecond=1), end_time=NAIVE"),
        case("fraction-of-the-end", "end_time=NAIVE.replace(microsecond=1)"),
        case("utc", "start_time=NOON, end_time=NOON"),
        case("other-zone", "start_time=NOON.astimezone(TOKYO)"),
        case("nothing-new", "'f'", ok({"events": [], **tokens("f", "f")})),
        case("without-tokens", "", ok({"events": []})),
        case("without-events", "", ok(tokens())),
        case("unknown-token", "'x'", refused(400, "bad_request", "expired")),
        case("not-found", "", refused(404, "not_found")),
        case("failed-once", "'f'", fails(503, "busy"), RECENT),
    ]


CASES: list[Case] = [
    _plain("usual"),
    _plain("last-page", "", ok({"events": events("end")})),
    _plain("nothing", "", ok({"events": []})),
    _plain("empty-page", "", ok({"events": [], "next_token": "t2"})),
    _plain("token", "'t/1=+ x'"),
    _plain("empty-token", "''"),
    _plain("positional", "'t', NAIVE, NAIVE + timedelta(hours=1)"),
    _plain("window", "start_time=NAIVE, end_time=NAIVE + timedelta(days=1)"),
    _plain("fractions", "start_time=NAIVE.replace(microsecond=999999), end_time=NAIVE"),
    _plain("fraction-of-the-end", "end_time=NAIVE.replace(microsecond=999999)"),
    _plain("utc", "start_time=NOON"),
    _plain("other-zone", "end_time=NOON.astimezone(TOKYO)"),
    _plain(
        "milliseconds",
        "",
        ok({"events": [{"message": "m", "timestamp": "2024-01-02T03:10:05.123Z"}]}),
    ),
    _plain(
        "whole-seconds",
        "",
        ok({"events": [{"message": "", "timestamp": "2024-01-02T03:10:05Z"}]}),
    ),
    _plain(
        "with-more-keys",
        "",
        ok({"events": [events("x")[0] | {"level": "info"}], "count": 1}),
    ),
    _plain("without-events", "", ok({})),
    _plain("line-without-time", "", ok({"events": [{"message": "m"}]})),
    _plain("line-is-a-text", "", ok({"events": ["m"]})),
    _plain("not-found", "", refused(404, "not_found")),
    _plain("failed-once", "'t'", fails(502, "<html>"), PLAIN),
    *_recent("get_run_recent_logs", "RUN"),
    *_recent("get_service_recent_logs", "SER"),
]

"""What the stub server can do: more than any client here asks of it."""

from benchmarks.clients.places import PLATFORMS
from benchmarks.measure import Case, Series, Server, once
from benchmarks.report import Row, Table

_COUNT = 40_000


def measure(
    server: Server,
    rounds: int,  # noqa: ARG001 - it is measured once
    platforms: tuple[str, ...] = PLATFORMS,  # noqa: ARG001 - the same
) -> Table:
    """Prepared requests by a client of sockets and epoll."""
    table = Table("capacity", "What the stub server can do")
    table.notes.append(
        "A client of sockets and epoll sends prepared requests on 64 connections. With "
        "one at a time on each, both are busy; with eight it is the server alone."
    )
    for method, what in (("GET", "reads of 1 KB"), ("POST", "submissions")):
        for pipelined in (1, 8):
            name = f"{what}, {pipelined} at a time on each connection"
            arguments = {"count": _COUNT, "method": method, "pipelined": pipelined}
            before = server.cpu()
            figures = once(server, Case(name, "raw:capacity", arguments))
            spent = server.cpu() - before
            table.add(Row.of("", Series(name, [figures])))
            table.check(f"{name}: thousands a second", _COUNT / figures["wall"] / 1000)
            table.check(f"{name}: server's CPU us each", spent / _COUNT * 1e6)
    return table

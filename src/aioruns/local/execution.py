"""One task under way: the lines and output that it writes, and how it ended."""

from collections.abc import Awaitable, Callable

from attrs import define, field


@define(eq=False)
class Execution:
    """What one task writes while it runs, and how it ended."""

    line: Callable[[str, str], None]
    """Receives (stream, text) for every line."""
    flush: Callable[[], Awaitable[None]]
    """Returns when the lines so far are saved; a fast writer waits for it."""
    grace: float = 2.0
    """Seconds between asking a program to end and ending it."""
    stdout: bytearray = field(factory=bytearray)
    kept: dict[str, bytes] = field(factory=dict)
    exit_code: int | None = None
    error: str = ""
    _open: dict[str, list[bytes]] = field(factory=dict)
    _unsaved: int = 0

    def write(self, stream: str, data: bytes) -> None:
        """Take a chunk of any size and pass on the lines that it completes."""
        if stream == "stdout":
            self.stdout += data
        head, *tail = data.split(b"\n")
        pieces = self._open.setdefault(stream, [])
        pieces.append(head)
        if not tail:
            return
        last = tail.pop()
        for line in (b"".join(pieces), *tail):
            self._emit(stream, line)
        self._open[stream] = [last]

    def finish(self) -> None:
        """Pass on last lines that have no line break."""
        for stream, pieces in self._open.items():
            rest = b"".join(pieces)
            if rest:
                self._emit(stream, rest)
        self._open.clear()

    @property
    def crowded(self) -> bool:
        """Whether the writer should wait for `relieve`."""
        return self._unsaved >= 2000

    async def relieve(self) -> None:
        """Wait until all lines are saved."""
        await self.flush()
        self._unsaved = 0

    def _emit(self, stream: str, line: bytes) -> None:
        self._unsaved += 1
        self.line(stream, line.removesuffix(b"\r").decode(errors="replace"))

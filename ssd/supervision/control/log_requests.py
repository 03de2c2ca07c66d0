"""The verb ``log`` of the control socket: the last lines of a log, and those to come.

A follower's lines are read from the file when it has read the ones before, so a slow one costs
nothing and delays no output. One that is so slow that a rotation removes the file that it reads
misses what was between.
"""

from ssd.logs.tail import Tail, last_lines
from ssd.supervision.control.protocol import failure, line, success

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssd.logs.stream import Stream
    from ssd.supervision.control.connections import Client
    from ssd.supervision.control.protocol import Request
    from ssd.supervision.control.view import View
    from ssd.supervision.unit import Unit

LAST = 10  # lines, if the request does not say how many
ROWS = 100  # lines of a log in one line of the answer
MAX_LINE = 1 << 16  # bytes; a longer line is cut into several


class Following:
    """A request for the lines of a log to come."""

    __slots__ = ("client", "id", "tail", "count", "_view", "_rest", "_busy")

    def __init__(self, client: "Client", id: "int | str | None", tail: Tail, view: "View") -> None:
        self.client = client
        self.id = id
        self.tail = tail
        self.count = 0
        self._view = view
        self._rest = b""  # of a line whose end has not come
        self._busy = False  # whether the client has not read all yet

    def go_on(self) -> None:
        """Send what was added, when the client reads."""
        if not self._busy:
            self._busy = True
            self.client.send_long(self._pieces())

    def _pieces(self) -> "Iterator[bytes]":
        try:
            while added := self.tail.read():
                whole, newline, self._rest = (self._rest + added).rpartition(b"\n")
                if not newline and len(self._rest) > MAX_LINE:
                    whole, newline, self._rest = self._rest, b"\n", b""
                if newline:
                    text = whole.decode("utf-8", "backslashreplace")
                    yield line(self.id, lines=self._view.plain(text.split("\n")))
        except OSError as error:
            yield line(self.id, lines=[f"(the log cannot be read: {error.strerror})"])
        self._busy = False


class LogRequests:
    """Who follows which logs."""

    __slots__ = ("_followings",)

    def __init__(self) -> None:
        self._followings: dict[str, list[Following]] = {}  # by the name of the service

    def answer(self, client: "Client", request: "Request", unit: "Unit") -> None:
        """Send the last lines; with ``follow`` go on with what comes. Raises Error and OSError."""
        view = unit.supervisor.view
        path, follow = unit.supervisor.outputs.path_of(unit), request.flag("follow")
        if path is None or follow and unit.supervisor.outputs.own_file(unit):
            reason = "has no log" if path is None else "writes to its file itself"
            client.send(failure(request.id, "unsupported", f"{unit.name} {reason}"))
            return
        uid = view.log_owner(unit)
        # Before the look at the end: so no line is missed.
        following = Following(client, request.id, Tail(path, uid), view) if follow else None
        lines = view.plain(last_lines(path, max(0, request.number("lines", LAST)), uid))
        if follow:
            client.send(line(request.id, begun="log", name=unit.name))
        client.send_long(_rows(request.id, lines, end=not follow))
        if following is not None:
            client.tasks.append(following)
            self._followings.setdefault(unit.name, []).append(following)
            self.attach(unit)

    def attach(self, unit: "Unit") -> None:
        """Listen to the log of a service if somebody follows it; a new start may have a new one."""
        stream = _stream(unit)
        if stream is not None and unit.name in self._followings:
            stream.listener = self._grown

    def _grown(self, stream: "Stream", count: int) -> None:
        for following in self._followings.get(stream.name, ()):
            following.go_on()
        if stream.name not in self._followings:
            stream.listener = None

    def forget(self, following: Following) -> None:
        """Drop what nobody reads any more."""
        following.tail.close()
        for name, there in list(self._followings.items()):
            if following in there:
                there.remove(following)
                if not there:
                    del self._followings[name]


def _rows(id: "int | str | None", lines: "Sequence[str]", end: bool) -> "Iterator[bytes]":
    """Make the lines of an answer."""
    for at in range(0, len(lines), ROWS):
        yield line(id, lines=lines[at : at + ROWS])
    if end:
        yield success(id)


def _stream(unit: "Unit") -> "Stream | None":
    return None if unit.log is None else unit.log.out

"""What a supervisor says on its standard output and error: a line for each event.

Nothing here waits: what nobody reads is kept up to a limit, and then left out and counted.
"""

import errno
import os
import select
import stat
import time

from ssd.supervision.readiness import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.events import Event
    from ssd.supervision.supervisor import Supervisor

LIMIT = 1 << 18  # bytes that wait for a reader
MANY = 64  # lines; a turn in which a thousand services start takes a second
PIECE = 4096  # PIPE_BUF: a pipe that is writable takes this much without a wait
WRONG = ("failed", "unhealthy")  # on standard error
SELDOM = ("starting",)  # the next line says more
RED, GREEN, YELLOW, PLAIN = "\033[31m", "\033[32m", "\033[33m", "\033[0m"
COLOURS = {"failed": RED, "unhealthy": RED, "exited": YELLOW, "restarting": YELLOW, "ready": GREEN}


class Outlet:
    """A descriptor to write to without ever waiting for its reader."""

    def __init__(self, fd: int, supervisor: "Supervisor") -> None:
        self._watch = supervisor.watch
        self._kind = stat.S_IFMT(os.fstat(fd).st_mode)
        self._fd = _own_description(fd, self._kind)
        self._shared = self._fd == fd  # a write to it may wait
        self._held = bytearray()
        self._lost = 0
        self._waiting = False
        self.coloured = os.isatty(fd) and not os.environ.get("NO_COLOR")

    def put(self, text: str) -> None:
        """Write a text, or what of it can be written now; the rest follows when it can be."""
        data = text.encode(errors="surrogateescape")
        if len(self._held) + len(data) > LIMIT:
            self._lost += data.count(b"\n")
        else:
            self._held += data
        if not self._waiting:
            self._flush()

    def _flush(self) -> None:
        while self._held:
            if not self._write():
                break
            if self._lost and not self._held:
                self._held += b"(%d lines are missing here: nobody read them)\n" % self._lost
                self._lost = 0

    def _write(self) -> bool:
        """Write a piece; tell whether more may follow."""
        try:
            if self._shared and not _is_writable(self._fd):
                raise BlockingIOError
            count = os.write(self._fd, self._held[:PIECE])
        except BlockingIOError:
            self._wait()
            return False
        except OSError as error:
            if error.errno != errno.EINTR:
                self._held.clear()  # the reader is gone, or the disk is full
            return False
        del self._held[:count]
        return True

    def _wait(self) -> None:
        self._waiting = True
        self._watch.add(self._fd, self._writable, writing=True)

    def _writable(self) -> None:
        self._watch.remove(self._fd)
        self._waiting = False
        self._flush()


def _is_writable(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(0))


def _own_description(fd: int, kind: int) -> int:
    """Return a descriptor of our own that does not block; others share the flags of ``fd``.

    A socket cannot be opened anew, and a file never blocks; both stay as they are.
    """
    if kind in (stat.S_IFIFO, stat.S_IFCHR):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            return os.open(f"/proc/self/fd/{fd}", flags)
        except OSError:
            return fd  # it belongs to another user, or there is no /proc
    return fd


class Lines:
    """Writes events for people: when, who, and what has happened.

    quiet: only what goes wrong.
    """

    def __init__(self, supervisor: "Supervisor", quiet: bool) -> None:
        self._out, self._errors = Outlet(1, supervisor), Outlet(2, supervisor)
        self._units = supervisor.units
        self._quiet = quiet
        # In words only when they are written: a killed service is started before that.
        self._held: list[tuple[Outlet, float, Event | str, str | None]] = []
        supervisor.listeners.append(self.show)

    def show(self, event: "Event") -> None:
        """Hold the line of an event; many are written before the turn ends."""
        kind = event.kind
        wrong = kind in WRONG
        if not wrong and (self._quiet or kind in SELDOM or self._says_nothing(event)):
            return
        outlet = self._errors if wrong else self._out
        self._held.append((outlet, event.time, event, COLOURS.get(kind)))
        if len(self._held) >= MANY:
            self.flush()

    def say(self, text: str, wrong: bool = False) -> None:
        """Hold a line about the supervisor itself."""
        if wrong or not self._quiet:
            outlet = self._errors if wrong else self._out
            self._held.append((outlet, time.time(), text, RED if wrong else None))

    def flush(self) -> None:
        """Write the lines, in order, as far as their readers take them."""
        held, self._held = self._held, []
        for line in held:
            _put(*line)

    def _says_nothing(self, event: "Event") -> bool:
        """Tell whether an event only follows from the one before: nothing makes it ready later."""
        unit = self._units.get(event.name)
        return event.kind == "ready" and unit is not None and not needs.gate(unit.service)


def _put(outlet: Outlet, when: float, said: "Event | str", colour: "str | None") -> None:
    """Write a line with its time."""
    text = f"{colour}{said}{PLAIN}" if colour and outlet.coloured else said
    outlet.put(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(when))} {text}\n")

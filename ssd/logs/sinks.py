"""Where lines go besides a file: syslog, and the supervisor's own stdout. Neither ever blocks.

What they do not take is dropped, counted and told: a file has it all.
"""

import errno
import os
import select
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from typing import Protocol

    class Watch(Protocol):
        """What waits for descriptors, level-triggered."""

        def add(self, fd: int, call: "Callable[[], object]", writing: bool = False) -> None:
            """Call whenever a descriptor is readable, or writable."""

        def remove(self, fd: int) -> None:
            """Stop that."""


LONGEST = 8192  # bytes; a longer line goes on as the next one
BACKLOG = 65536  # bytes that wait for stdout
ATOMIC = 4096  # bytes; PIPE_BUF: a pipe that poll(2) calls writable takes so many at once
PRIORITY = 3 * 8 + 6  # facility daemon, severity info: syslog.h


class Lines:
    """Whole lines from pieces of output."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that are whole now, without newlines."""
        lines = (self._begun + data).split(b"\n")
        begun = lines.pop()
        while len(begun) >= LONGEST:
            lines.append(begun[:LONGEST])
            begun = begun[LONGEST:]
        self._begun = begun
        return lines

    def flush(self) -> list[bytes]:
        """Return the begun line, because its writer has ended."""
        begun, self._begun = self._begun, b""
        return [begun] if begun else []


class Sink:
    """Counts the lines that it could not pass on, and tells when that begins and ends."""

    __slots__ = ("_report", "dropped", "_outage")
    name = ""

    def __init__(self, report: "Callable[[str, str], None]") -> None:
        self._report = report
        self.dropped = 0  # lines, altogether
        self._outage = 0  # lines, since something was last taken

    def drop(self, count: int, reason: str) -> None:
        """Count lines, and tell the first time."""
        if not self._outage:
            self._report("dropped", f"{self.name} does not take the output: {reason}")
        self._outage += count
        self.dropped += count

    def taken(self) -> None:
        """Tell how many lines were lost before this one."""
        if self._outage:
            count, self._outage = self._outage, 0
            self._report("dropped", f"{self.name} takes output again; lines lost: {count}")


class Syslog(Sink):
    """A datagram a line to the socket of syslogd(8) or journald."""

    __slots__ = ("_path", "_socket")
    name = "syslog"

    def __init__(self, report: "Callable[[str, str], None]", path: str = "/dev/log") -> None:
        super().__init__(report)
        self._path = path
        self._socket: socket | None = None

    def put(self, service: str, lines: list[bytes], stamp: str) -> None:
        """Send lines. ``stamp``: the time as syslog writes it, "Nov  9 10:55:38"."""
        head = os.fsencode(f"<{PRIORITY}>{stamp} {service}: ")
        for number, line in enumerate(lines):
            reason = self._send(head + line[:LONGEST])
            if reason:
                self.drop(len(lines) - number, reason)
                return
            self.taken()

    def _send(self, datagram: bytes) -> str | None:
        """Return None if it was sent, else the reason."""
        for _ in range(2):  # syslogd may have been restarted: a new connection, once
            known = self._socket is not None
            try:
                self._connected().send(datagram)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.ENOBUFS):
                    return "it does not read"
                self.close()
                if not known:
                    return os.strerror(error.errno or 0)
            else:
                return None
        return "it does not stay"

    def _connected(self) -> "socket":
        if self._socket is None:
            import _socket

            made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
            made.setblocking(False)
            try:
                made.connect(self._path)
            except OSError:
                made.close()
                raise
            self._socket = made
        return self._socket

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Forward(Sink):
    """The supervisor's stdout, each line after the name of its service.

    Without a ``watch`` lines that wait are written when the next one comes.
    """

    __slots__ = ("_fd", "_own", "_watch", "_watching", "_waiting")
    name = "stdout"

    def __init__(
        self, report: "Callable[[str, str], None]", stdout: int = 1, watch: "Watch | None" = None
    ) -> None:
        super().__init__(report)
        self._fd, self._own = _open_again(stdout)
        self._watch = watch
        self._watching = False
        self._waiting = bytearray()

    def put(self, service: str, lines: list[bytes]) -> None:
        """Write lines, or keep them until stdout takes more, or drop them."""
        head = os.fsencode(f"{service}: ")
        self._waiting += head + (b"\n" + head).join(lines) + b"\n"
        self.flush()
        if len(self._waiting) > BACKLOG:
            end = self._waiting.rfind(b"\n", 0, BACKLOG) + 1
            count = self._waiting.count(b"\n", end)
            del self._waiting[end:]
            self.drop(count, "nobody reads it")

    def flush(self) -> None:
        """Write what waits, as far as stdout takes it: whole lines, where a pipe can."""
        try:
            while self._waiting and self._writable():
                end = self._waiting.rfind(b"\n", 0, ATOMIC) + 1
                del self._waiting[: os.write(self._fd, self._waiting[: end or ATOMIC])]
        except BlockingIOError:
            pass  # it is full: the watch says when it is not
        except OSError as error:
            lines = self._waiting.count(b"\n")
            self._waiting.clear()
            self.drop(lines, os.strerror(error.errno or 0))
        else:
            if not self._waiting:
                self.taken()
        self._wait()

    def _writable(self) -> bool:
        """Tell whether a write does not block. An own description has O_NONBLOCK."""
        if self._own:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(0))

    def _wait(self) -> None:
        """Be called when stdout takes more, while lines wait."""
        if self._watch is not None and self._watching != bool(self._waiting):
            self._watching = bool(self._waiting)
            if self._watching:
                self._watch.add(self._fd, self.flush, writing=True)
            else:
                self._watch.remove(self._fd)

    def close(self) -> None:
        """Write what can be written, and give it back."""
        self.flush()
        self._waiting.clear()
        self._wait()
        if self._own:
            os.close(self._fd)


def _open_again(fd: int) -> tuple[int, bool]:
    """Open a pipe or a terminal anew: O_NONBLOCK must not reach others that share it (fcntl(2)).

    Return the descriptor, and whether it is an own one. A regular file has one offset for all, a
    socket cannot be opened, and another user's terminal may not be.
    """
    try:
        kind = os.fstat(fd).st_mode
    except OSError:
        return fd, False  # it is closed, as the first line will tell
    if stat.S_ISFIFO(kind) or stat.S_ISCHR(kind):
        try:
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            return os.open(f"/proc/self/fd/{fd}", flags), True
        except OSError:
            return fd, False  # then poll(2) says before each write whether it blocks
    return fd, False

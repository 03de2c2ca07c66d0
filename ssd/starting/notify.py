"""Wait until a started program reports that it is ready: the sd_notify(3) protocol.

The program gets the address of a datagram socket in NOTIFY_SOCKET. The kernel attaches the sender
to each message, which decides whether it counts (``ssd.starting.notify_sender``).
"""

import errno
import os
from time import sleep

from ssd.errors import EXHAUSTED, NotReady, ProcessTableError, StartFailed
from ssd.matching import UNKNOWN_START
from ssd.processes.handles import CheckedHandle, PidfdHandle, pidfd
from ssd.processes.hidden import may_be
from ssd.processes.waiting import POLL_INTERVAL
from ssd.starting.notify_directories import SocketDirectory
from ssd.starting.notify_sender import CONTROL_SIZE, Sender, is_trusted, request_senders, session_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Iterator
    from select import poll
    from typing import ParamSpec, TypeVar

    from ssd.accounts import Account
    from ssd.matching import Process
    from ssd.processes.contract import Handle, ProcessTable
    from ssd.starting.become import Say

    Given = ParamSpec("Given")
    Got = TypeVar("Got")

MAX_MESSAGE_SIZE = 4096  # bytes, as in the original
MAX_BURST = 100  # messages that are read before the time is checked again
# The errnos of a system call that lacks memory or descriptors.
SHORTAGE = (*EXHAUSTED, errno.ENOBUFS)


class InvalidNotification(ValueError):
    """A notification with an invalid number. Its text is the invalid line."""


def parse(message: bytes) -> "Iterator[tuple[str, int | str]]":
    """Parse a notification line by line.

    Yields ("ready", 1), ("extend", microseconds), ("errno", number), and ("line", text) for any
    other line. Raises InvalidNotification.
    """
    for line in message.split(b"\n"):
        name, _, value = line.partition(b"=")
        shown = os.fsdecode(line)
        if line == b"READY=1":
            yield "ready", 1
        elif name in (b"EXTEND_TIMEOUT_USEC", b"ERRNO"):
            if not value.isdigit() or len(value) > 18:
                raise InvalidNotification(shown)
            yield ("errno" if name == b"ERRNO" else "extend"), int(value)
        elif line:
            yield "line", shown


class Listener:
    """The notification socket of one start. ``close`` removes it from the disk."""

    def __init__(self, account: "Account") -> None:
        """Bind a socket that only root and the program's user can reach. Raises StartFailed."""
        import _socket

        self._uids = (0, os.geteuid() if account.uid is None else account.uid)
        self._session: int | None = None
        self.socket: socket | None = None
        try:
            self._directory = SocketDirectory()
        except OSError as error:
            name = f"directory {os.fsdecode(error.filename)}"
            raise StartFailed("notify", name, error.errno, error.strerror) from error
        self.path = self._directory.socket_path
        try:
            self.socket = _socket.socket(
                _socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
            )
            request_senders(self.socket)
            self.socket.bind(self.path)
            os.chmod(self.path, 0o660)
            owner = [-1 if number is None else number for number in (account.uid, account.gid)]
            os.chown(self.path, *owner)
            os.chown(self._directory.path, *owner)
        except OSError as error:
            self.close()
            name = f"socket {os.fsdecode(self.path)}"
            # For a path of more than 107 bytes (unix(7)) Python raises OSError without an errno.
            reason = error.strerror or str(error)
            raise StartFailed("notify", name, error.errno, reason) from error

    def close(self) -> None:
        """Close the socket and remove it and its directory."""
        if self.socket is not None:
            self.socket.close()
        self._directory.remove()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def wait(self, process: "Process", timeout: float, table: "ProcessTable", say: "Say") -> None:
        """Return after READY=1 from ``process``. ``timeout``: seconds.

        EXTEND_TIMEOUT_USEC replaces the remaining time. Raises NotReady when the time is up, when
        the process ends, and when it reports an error.

        The program runs already, so a lack of memory or descriptors is waited out. Any other error
        becomes a NotReady, too, because it must not look like a failed start.
        """
        try:
            self._wait(process, timeout, table, say)
        except (OSError, MemoryError) as error:
            code, reason = getattr(error, "errno", None), str(error) or "no memory"
            raise NotReady(process, "unheard", code, reason) from error

    def _wait(self, process: "Process", timeout: float, table: "ProcessTable", say: "Say") -> None:
        """Wait as ``wait`` does. Also raises OSError and MemoryError."""
        import select

        self._session = session_of(process.pid)  # before it changes or ends
        try:
            handle = hold(process, table)
        except ProcessLookupError:
            self._read_last(process, say)
            return
        with handle:
            until = table.now() + timeout
            poll = select.poll()
            for fd in (self._fileno(), handle.fileno()):
                if fd >= 0:
                    poll.register(fd, select.POLLIN)
            left = timeout
            while True:
                say("awaiting", left)
                _wait_for_event(poll, handle, until, table)
                ended = _or_none(handle.ended)
                for kind, value in self._events(process, say):
                    if kind == "ready":
                        return
                    until = table.now() + int(value) / 1e6
                if ended:
                    raise NotReady(process, "exited")
                left = until - table.now()
                if left <= 0:
                    raise NotReady(process, "timeout", None, f"{timeout:g}")

    def _fileno(self) -> int:
        assert self.socket is not None
        return self.socket.fileno()

    def _read_last(self, process: "Process", say: "Say") -> None:
        """Look for READY=1 from a process that has ended. Raises NotReady."""
        if not any(kind == "ready" for kind, _ in self._events(process, say)):
            raise NotReady(process, "exited")

    def _events(self, process: "Process", say: "Say") -> "Iterator[tuple[str, int | str]]":
        """Receive messages; yield "ready" and "extend". Raises NotReady for a reported error."""
        for _ in range(MAX_BURST):
            message = self._receive(process)
            if message is None:
                return
            try:
                for kind, value in parse(message):
                    say("notified", kind, value)
                    if kind == "errno":
                        raise NotReady(process, "errno", int(value))
                    if kind != "line":
                        yield kind, value
            except InvalidNotification as error:
                say("notified", "invalid", str(error))
                raise NotReady(process, "invalid", None, str(error)) from None

    def _receive(self, process: "Process") -> bytes | None:
        """Return the next message, b"" if its sender is not trusted, None if there is none."""
        import _socket

        assert self.socket is not None
        flags: int = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            received = _or_none(self.socket.recvmsg, MAX_MESSAGE_SIZE, CONTROL_SIZE, flags)
        except BlockingIOError:
            return None
        if received is None:
            return None
        message, control, _, _ = received
        sender = Sender(control)
        try:
            sessions = (self._session, session_of(process.pid))
            return message if is_trusted(sender, process.pid, self._uids, sessions) else b""
        finally:
            sender.close()


def hold(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle of a program that was just started, even if /proc hides it (proc(5), hidepid).

    If the table cannot be read, the pid is enough, because the program is known to be started.
    Raises ProcessLookupError if it has ended.
    """
    try:
        return _held(process, table)
    except ProcessTableError:
        return _held_unseen(process, table)


def _held(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle by the table. Raises ProcessLookupError and ProcessTableError."""
    try:
        return table.open(process)
    except ProcessLookupError:
        seen = table.process(process.pid)
        if seen is None or not may_be(process, seen):
            raise
        return table.open(seen)


def _held_unseen(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle by pidfd, start time or pid alone. Raises ProcessLookupError."""

    def identify(pid: int) -> "Process | None":
        if process.start_time == UNKNOWN_START:
            return process if _exists(pid) else None
        try:
            return table.process(pid)
        except ProcessTableError:  # kill(2) needs neither memory nor /proc
            return process if _exists(pid) else None

    try:
        fd = pidfd(process.pid)
    except ProcessTableError:  # no descriptor or memory is left: poll
        fd = None
    return CheckedHandle(process, identify) if fd is None else PidfdHandle(process, identify, fd)


def _exists(pid: int) -> bool:
    """Return whether a process, or a zombie, has the pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _wait_for_event(poll: "poll", handle: "Handle", until: float, table: "ProcessTable") -> None:
    """Return when a message may have come, the program may have ended, or the time is up."""
    blind = handle.fileno() < 0  # without a descriptor its end must be polled
    # poll(2) takes an int of milliseconds, 24 days; after that it is called again.
    longest = POLL_INTERVAL * 1000 if blind else 2**31 - 1
    while (left := until - table.now()) > 0:
        if _or_none(poll.poll, min(left * 1000, longest)) != []:
            return
        if blind and _or_none(handle.ended):
            return


def _or_none(
    call: "Callable[Given, Got]", *given: "Given.args", **named: "Given.kwargs"
) -> "Got | None":
    """Return what a call returns; without memory or descriptors return None, after a pause."""
    try:
        return call(*given, **named)
    except ProcessTableError:
        sleep(POLL_INTERVAL)
    except OSError as error:
        if error.errno not in SHORTAGE:
            raise
        sleep(POLL_INTERVAL)
    return None

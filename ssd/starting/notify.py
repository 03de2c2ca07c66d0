"""Wait until a started program says that it is ready: the sd_notify(3) protocol.

The program is given the address of a datagram socket in NOTIFY_SOCKET. Who may speak is
checked by what the kernel attaches (``ssd.starting.notify_sender``).
"""

import errno
import os
from time import sleep

from ssd.errors import EXHAUSTED, NotReady, ProcessTableError, StartFailed
from ssd.matching import UNKNOWN_START
from ssd.processes.handles import CheckedHandle, PidfdHandle, pidfd
from ssd.processes.hidden import may_be
from ssd.processes.waiting import POLL_INTERVAL
from ssd.starting.notify_directories import SocketPlace
from ssd.starting.notify_sender import SPACE, Sender, ask_for_senders, may_speak, session_of

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

LARGEST = 4096  # bytes of one notification, as in the original
AT_ONCE = 100  # notifications, before it is asked again whether the time is up
# What a system call says for want of memory or descriptors.
SHORT = (*EXHAUSTED, errno.ENOBUFS)


class Invalid(ValueError):
    """A notification that cannot be read. Its text is the offending line."""


def parse(message: bytes) -> "Iterator[tuple[str, int | str]]":
    """Read a notification line by line.

    Yields ("ready", 1), ("extend", microseconds), ("errno", number) and ("line", text) for
    anything else. Raises Invalid where a number is none.
    """
    for line in message.split(b"\n"):
        name, _, value = line.partition(b"=")
        shown = os.fsdecode(line)
        if line == b"READY=1":
            yield "ready", 1
        elif name in (b"EXTEND_TIMEOUT_USEC", b"ERRNO"):
            if not value.isdigit() or len(value) > 18:
                raise Invalid(shown)
            yield ("errno" if name == b"ERRNO" else "extend"), int(value)
        elif line:
            yield "line", shown


class Listener:
    """The notification socket of one start; close it to remove it from the disk."""

    def __init__(self, account: "Account") -> None:
        """Bind a socket that only root and the program's user can reach.

        Raises StartFailed.
        """
        import _socket  # socket without its enums: READY is all we exchange

        self._uids = (0, os.geteuid() if account.uid is None else account.uid)
        self._session: int | None = None
        self.socket: socket | None = None
        try:
            self._place = SocketPlace()
        except OSError as error:
            name = f"directory {os.fsdecode(error.filename)}"
            raise StartFailed("notify", name, error.errno, error.strerror) from error
        self.path = self._place.path
        try:
            self.socket = _socket.socket(
                _socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC
            )
            ask_for_senders(self.socket)
            self.socket.bind(self.path)
            os.chmod(self.path, 0o660)
            owner = [-1 if number is None else number for number in (account.uid, account.gid)]
            os.chown(self.path, *owner)
            os.chown(self._place.directory, *owner)
        except OSError as error:
            self.close()
            name = f"socket {os.fsdecode(self.path)}"
            # A path beyond the 107 bytes of unix(7) is Python's own error, without a number.
            reason = error.strerror or str(error)
            raise StartFailed("notify", name, error.errno, reason) from error

    def close(self) -> None:
        """Close the socket and remove it and its directory."""
        if self.socket is not None:
            self.socket.close()
        self._place.remove()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def wait(self, process: "Process", timeout: float, table: "ProcessTable", say: "Say") -> None:
        """Return when ``process`` has said READY=1. ``timeout`` is in seconds.

        EXTEND_TIMEOUT_USEC makes the rest of the time that many microseconds. Raises NotReady
        at the end of the time, at once if the process ends, and if it reports an error.

        The program runs by now, so a lack of memory or descriptors is waited out. What else goes
        wrong is a NotReady, too: no error may be taken for a start that has failed.
        """
        try:
            self._wait(process, timeout, table, say)
        except (OSError, MemoryError) as error:
            code, reason = getattr(error, "errno", None), str(error) or "no memory"
            raise NotReady(process, "unheard", code, reason) from error

    def _wait(self, process: "Process", timeout: float, table: "ProcessTable", say: "Say") -> None:
        """Do what ``wait`` does; raise OSError and MemoryError, too."""
        import select

        self._session = session_of(process.pid)  # before it may have made another, or ended
        try:
            handle = hold(process, table)
        except ProcessLookupError:
            self._last_words(process, say)
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
                _until_it_stirs(poll, handle, until, table)
                ended = _or_later(handle.ended)
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

    def _last_words(self, process: "Process", say: "Say") -> None:
        """Look for the READY=1 of a process that has ended already, or raise NotReady."""
        if not any(kind == "ready" for kind, _ in self._events(process, say)):
            raise NotReady(process, "exited")

    def _events(self, process: "Process", say: "Say") -> "Iterator[tuple[str, int | str]]":
        """Receive what has come; yield what changes the wait, raise what ends it."""
        for _ in range(AT_ONCE):
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
            except Invalid as error:
                say("notified", "invalid", str(error))
                raise NotReady(process, "invalid", None, str(error)) from None

    def _receive(self, process: "Process") -> bytes | None:
        """Return the next notification, an empty one for a stranger's; None if none is there."""
        import _socket

        assert self.socket is not None
        flags: int = getattr(_socket, "MSG_CMSG_CLOEXEC", 0)
        try:
            received = _or_later(self.socket.recvmsg, LARGEST, SPACE, flags)
        except BlockingIOError:
            return None
        if received is None:
            return None
        message, control, _, _ = received
        sender = Sender(control)
        try:
            sessions = (self._session, session_of(process.pid))
            return message if may_speak(sender, process.pid, self._uids, sessions) else b""
        finally:
            sender.close()


def hold(process: "Process", table: "ProcessTable") -> "Handle":
    """Hold a program that has just been started, and may have hidden itself (proc(5), hidepid).

    Where nothing can be looked at, or no more, its pid has to do: that it was started is known.
    Raises ProcessLookupError if it has ended.
    """
    try:
        return _held(process, table)
    except ProcessTableError:
        return _held_unseen(process, table)


def _held(process: "Process", table: "ProcessTable") -> "Handle":
    """Hold it as the table does. Raises ProcessLookupError, and ProcessTableError."""
    try:
        return table.open(process)
    except ProcessLookupError:
        seen = table.process(process.pid)
        if seen is None or not may_be(process, seen):
            raise
        return table.open(seen)


def _held_unseen(process: "Process", table: "ProcessTable") -> "Handle":
    """Hold it by what is left: a pidfd, its start time, its pid. Raises ProcessLookupError."""

    def identify(pid: int) -> "Process | None":
        if process.start_time == UNKNOWN_START:
            return process if _is_there(pid) else None
        try:
            return table.process(pid)
        except ProcessTableError:  # kill(2) needs neither memory nor /proc
            return process if _is_there(pid) else None

    try:
        fd = pidfd(process.pid)
    except ProcessTableError:  # no descriptor or memory: it is looked for again and again
        fd = None
    return CheckedHandle(process, identify) if fd is None else PidfdHandle(process, identify, fd)


def _is_there(pid: int) -> bool:
    """Say whether somebody has a pid, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _until_it_stirs(poll: "poll", handle: "Handle", until: float, table: "ProcessTable") -> None:
    """Return when a notification may have come, the program may have ended, or the time is up."""
    blind = handle.fileno() < 0  # no descriptor tells of the end: look again and again
    # poll(2) takes an int of milliseconds, 24 days; after those it is asked again.
    longest = POLL_INTERVAL * 1000 if blind else 2**31 - 1
    while (left := until - table.now()) > 0:
        if _or_later(poll.poll, min(left * 1000, longest)) != []:
            return
        if blind and _or_later(handle.ended):
            return


def _or_later(
    call: "Callable[Given, Got]", *given: "Given.args", **named: "Given.kwargs"
) -> "Got | None":
    """Return what a call returns; a moment later None, where memory or descriptors are short."""
    try:
        return call(*given, **named)
    except ProcessTableError:
        sleep(POLL_INTERVAL)
    except OSError as error:
        if error.errno not in SHORT:
            raise
        sleep(POLL_INTERVAL)
    return None

"""Wait until a started program reports that it is ready: the sd_notify(3) protocol.

The program gets the address of a datagram socket in NOTIFY_SOCKET. The kernel attaches the sender
to each message, which decides whether it counts (``ssd.starting.notify_sender``).
"""

import errno
import os
from time import sleep

from ssd.errors import EXHAUSTED, NotReady, ProcessTableError, StartFailed
from ssd.processes.waiting import POLL_INTERVAL
from ssd.starting.holding import hold
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
    from ssd.pidfile.locking import Lock
    from ssd.processes.contract import Handle, ProcessTable
    from ssd.starting import Start
    from ssd.starting.become import Say
    from ssd.starting.detach import Detachment
    from ssd.starting.living import Living

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


def detach_and_wait(start: "Start", lock: "Lock | None", plan: "Detachment") -> "Process":
    """Start in the background; return when it is ready and has lived for the time to ``wait``.

    Raises what ``detach`` raises, NotReady and EndedEarly.
    """
    from ssd.interrupts import Interruptible

    # A signal that ends ssd while it waits must not leave the socket behind.
    with Interruptible():
        if start.wait is None:
            return _detach(start, lock, plan, None)
        from ssd.starting.living import Living

        with Living(start.wait, start.command, start.account.uid, start.table) as living:
            return _detach(start, lock, plan, living)


def _detach(
    start: "Start", lock: "Lock | None", plan: "Detachment", living: "Living | None"
) -> "Process":
    if start.notify_timeout is None:
        return _detach_and_watch(start, lock, plan, living, None)
    with Listener(start.account) as listener:
        plan.extra[b"NOTIFY_SOCKET"] = listener.path
        return _detach_and_watch(start, lock, plan, living, listener)


def _detach_and_watch(
    start: "Start",
    lock: "Lock | None",
    plan: "Detachment",
    living: "Living | None",
    listener: Listener | None,
) -> "Process":
    from ssd.starting.detach import detach
    from ssd.starting.leftovers import remove_pidfile

    process = detach(plan, start.warn)
    if living is not None:
        living.begin()
    start.say("detached")
    if lock is not None:
        lock.release()  # another start need not wait: it finds the process
    try:
        if listener is not None:
            _await_ready(start, process, living, listener)
        if living is not None:
            living.watch(process)
    except NotReady as error:
        if error.reason == "exited":
            remove_pidfile(start.pidfile, process, start.warn)
        raise
    return process


def _await_ready(
    start: "Start", process: "Process", living: "Living | None", listener: Listener
) -> None:
    try:
        listener.wait(process, float(start.notify_timeout or 0), start.table, start.say)
    except NotReady as error:
        if error.reason == "exited" and living is not None:
            living.watch(process)  # raises EndedEarly, which says more
        raise


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

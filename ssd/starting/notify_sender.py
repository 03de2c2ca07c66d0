"""The sender of a notification, as the kernel attaches it (unix(7)).

The message itself proves nothing: every process of the program's user can write to the socket.
"""

import os
import struct

from ssd.processes.handles import pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Collection, Iterable

SO_PASSPIDFD = 76  # asm-generic/socket.h, since Linux 6.5; not in Python 3.11
SCM_RIGHTS, SCM_CREDENTIALS, SCM_PIDFD = 1, 2, 4  # linux/socket.h
CONTROL_SIZE = 128  # bytes of control data: credentials, a pidfd, and some descriptors
_CREDENTIALS = struct.Struct("iII")  # pid, uid, gid: struct ucred
_DESCRIPTOR = struct.Struct("i")


def request_senders(receiver: "socket") -> None:
    """Have the kernel attach the sender to each message, as far as it can."""
    import _socket

    if not hasattr(_socket, "SO_PASSCRED"):
        return  # not Linux: only the mode of the socket restricts senders
    receiver.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
    try:
        receiver.setsockopt(_socket.SOL_SOCKET, SO_PASSPIDFD, 1)
    except OSError:
        pass  # an older kernel: the pid must be enough


class Sender:
    """The sender of one message. ``pid``, ``uid``: None if the system does not attach them.

    It must be closed. This closes the descriptors in the message, too, and so releases a sender
    that waits until its message is processed (sd_notify_barrier(3)).
    """

    def __init__(self, control: "Iterable[tuple[int, int, bytes]]") -> None:
        """Parse the control data of recvmsg(2)."""
        self.pid: int | None = None
        self.uid: int | None = None
        self._pidfd: int | None = None
        self._descriptors: list[int] = []
        for _, kind, data in control:
            if kind == SCM_CREDENTIALS:
                self.pid, self.uid, _ = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])
            elif kind in (SCM_PIDFD, SCM_RIGHTS):
                whole = len(data) - len(data) % _DESCRIPTOR.size
                found = [fd for (fd,) in _DESCRIPTOR.iter_unpack(data[:whole])]
                if kind == SCM_PIDFD:
                    self._pidfd = found[0]  # negative errno if the sender has been reaped
                self._descriptors += [fd for fd in found if fd >= 0]

    def session(self) -> int | None:
        """Return the session of the sender, None if it is unknown or the sender was reaped.

        The pid of a reaped sender may belong to another process now.
        """
        if not self.pid or self.pid < 0:  # 0: in another PID namespace
            return None
        session = session_of(self.pid)
        return session if self._exists() else None

    def _exists(self) -> bool:
        """Return whether the pid is still the sender's; True if the kernel cannot tell."""
        if self._pidfd is None or pidfd_send_signal is None:
            return True
        if self._pidfd < 0:
            return False
        try:
            pidfd_send_signal(self._pidfd, 0)
        except ProcessLookupError:
            return False
        except OSError:  # no permission, or a filtered system call: it exists
            return True
        return True

    def close(self) -> None:
        """Close the descriptors of the message."""
        for fd in self._descriptors:
            os.close(fd)
        self._descriptors.clear()


def is_trusted(
    sender: Sender, program: int, uids: "Collection[int]", sessions: "Collection[int | None]"
) -> bool:
    """Return whether messages of a sender count.

    It must belong to one of ``uids``, and be the program (``program`` is its pid) or in one of its
    ``sessions``, former ones included. None in ``sessions`` stands for an unknown session and
    matches nothing.
    """
    if sender.uid is None:
        return not hasattr(os, "SCHED_BATCH")  # Linux always attaches credentials
    if sender.uid not in uids:
        return False
    if sender.pid == program:
        return True
    session = sender.session()
    return session is not None and session in sessions


def session_of(pid: int) -> int | None:
    """Return the session of a process or zombie, None if it does not exist."""
    try:
        return os.getsid(pid)
    except OSError:
        return None

"""Who has sent a notification, by what the kernel attaches to it (unix(7)).

A name in it would prove nothing: the socket is the program's user's, and so may be others'.
"""

import os
import struct

from ssd.processes.handles import pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Collection, Iterable

SO_PASSPIDFD = 76  # asm-generic/socket.h, since Linux 6.5; Python 3.11 has no name for it
SCM_RIGHTS, SCM_CREDENTIALS, SCM_PIDFD = 1, 2, 4  # linux/socket.h
SPACE = 128  # bytes of control data: credentials, a pidfd, and some of what else is sent
_CREDENTIALS = struct.Struct("iII")  # pid, uid, gid: struct ucred
_DESCRIPTOR = struct.Struct("i")


def ask_for_senders(receiver: "socket") -> None:
    """Have the kernel tell of each message who has sent it, as far as it can."""
    import _socket

    if not hasattr(_socket, "SO_PASSCRED"):
        return  # no Linux: the mode of the socket decides
    receiver.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
    try:
        receiver.setsockopt(_socket.SOL_SOCKET, SO_PASSPIDFD, 1)
    except OSError:
        pass  # an older kernel: the pid has to do


class Sender:
    """The sender of one message: ``pid`` and ``uid``, None where the system does not tell.

    Close it: that also closes what descriptors came along, which tells a sender that waits
    (sd_notify_barrier(3)) that its message was dealt with.
    """

    def __init__(self, control: "Iterable[tuple[int, int, bytes]]") -> None:
        """Read the control data of recvmsg(2)."""
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
                    self._pidfd = found[0]  # minus an errno if there is nobody any more
                self._descriptors += [fd for fd in found if fd >= 0]

    def session(self) -> int | None:
        """Return the session that the sender is in; None if that cannot be told (any more).

        One that has ended and was reaped is in none, and its pid may be another's.
        """
        if not self.pid or self.pid < 0:  # 0: outside of this PID namespace
            return None
        session = session_of(self.pid)
        return session if self._is_there() else None

    def _is_there(self) -> bool:
        """Say whether the pid is still the sender's, as far as the kernel can tell."""
        if self._pidfd is None or pidfd_send_signal is None:
            return True
        if self._pidfd < 0:
            return False
        try:
            pidfd_send_signal(self._pidfd, 0)
        except ProcessLookupError:
            return False
        except OSError:  # not ours to signal, or the call is filtered: it is there
            return True
        return True

    def close(self) -> None:
        """Close what descriptors came along."""
        for fd in self._descriptors:
            os.close(fd)
        self._descriptors.clear()


def may_speak(
    sender: Sender, program: int, uids: "Collection[int]", sessions: "Collection[int | None]"
) -> bool:
    """Decide whether a sender is listened to: of the right users, and the program or its family.

    ``program``: its pid. ``sessions``: those that it is or was in, None among them where it
    could not be told. Who cannot be placed is not listened to.
    """
    if sender.uid is None:
        return not hasattr(os, "SCHED_BATCH")  # Linux attaches credentials always
    if sender.uid not in uids:
        return False
    if sender.pid == program:
        return True
    session = sender.session()
    return session is not None and session in sessions


def session_of(pid: int) -> int | None:
    """Return the session of a process, a zombie too; None if it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return None

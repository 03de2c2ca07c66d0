"""Unix sockets: who is at the other end, and how a supervisor listens.

Of ``_socket``, the C half of the module ``socket``, which takes as long to load as an interpreter
to start.
"""

import _socket
import os
import sys

BACKLOG = 64  # clients that wait to be taken
_SO_PEERGROUPS = 59  # <asm-generic/socket.h>; not in _socket
_MOST_GROUPS = 256  # as many as Python reads of a socket option


class Peer:
    """Who is at the other end of a socket: pid, uid, gid and further groups, when it connected."""

    __slots__ = ("pid", "uid", "groups")

    def __init__(self, pid: int, uid: int, groups: "tuple[int, ...]") -> None:
        self.pid = pid
        self.uid = uid
        self.groups = groups


def peer(sock: "_socket.socket") -> Peer:
    """Return who is at the other end (unix(7), SO_PEERCRED). Raises OSError."""
    pid, uid, gid = _numbers(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12))
    try:
        size = 4 * _MOST_GROUPS
        more = _numbers(sock.getsockopt(_socket.SOL_SOCKET, _SO_PEERGROUPS, size))
    except OSError:  # before Linux 4.13, or more groups than that
        more = ()
    return Peer(pid, uid, (gid, *more))


def _numbers(data: bytes) -> "tuple[int, ...]":
    return tuple(int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data), 4))


def accept(listener: "_socket.socket") -> "_socket.socket":
    """Take a client. Raises OSError, BlockingIOError if there is none."""
    fd, _ = listener._accept()  # type: ignore[attr-defined]
    return _socket.socket(fileno=fd)


def listening(fd: int) -> "_socket.socket":
    """Return the socket of a descriptor that listens already."""
    return _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, fd)


def listen(descriptor: int, group: "int | None" = None) -> "_socket.socket":
    """Listen on ``socket`` in a directory, in place of a dead supervisor's. Raises OSError.

    ``descriptor``: of the directory, which nobody else can write. ``group``: may connect, too.
    """
    there = f"/proc/self/fd/{descriptor}"  # sun_path has 108 bytes, a run directory may have more
    try:
        os.unlink("socket.new", dir_fd=descriptor)
    except FileNotFoundError:
        pass  # no supervisor was killed right here
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        sock.bind(f"{there}/socket.new")
        if group is not None:
            os.chown("socket.new", -1, group, dir_fd=descriptor)
        os.chmod("socket.new", 0o600 if group is None else 0o660, dir_fd=descriptor)
        sock.listen(BACKLOG)
        # So a client finds a socket at every moment, and never takes us for absent.
        os.rename("socket.new", "socket", src_dir_fd=descriptor, dst_dir_fd=descriptor)
    except BaseException:
        sock.close()
        raise
    return sock

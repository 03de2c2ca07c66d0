"""The directories of notification sockets: one for each start that waits for readiness.

A start that is killed while it waits leaves its directory. A living start holds a lock on its
directory (flock(2), which the kernel releases with the process). So the next start that waits
finds directories without a lock, and removes them.
"""

import fcntl
import os

from ssd.paths import only_ours

PREFIX = b".ssd-notify."
SOCKET = b"notify"
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class SocketDirectory:
    """A directory for one socket, at first of the caller's user only."""

    __slots__ = ("path", "socket_path", "_fd")

    def __init__(self) -> None:
        """Create it, and remove leftovers of other starts. Raises OSError."""
        base = _base()
        _remove_leftovers(base)
        self.path, self._fd = _make(base)
        self.socket_path = self.path + b"/" + SOCKET

    def remove(self) -> None:
        """Remove the socket and the directory."""
        for remove, path in ((os.unlink, self.socket_path), (os.rmdir, self.path)):
            try:
                remove(path)
            except OSError:
                continue  # never bound, or changed by the program's user, who owns it
        os.close(self._fd)


def _base() -> bytes:
    """Return the parent of the directories: /run for root, else TMPDIR or /tmp."""
    if os.getuid() == 0 and os.path.isdir(b"/run"):
        return b"/run"
    return os.environb.get(b"TMPDIR", b"/tmp")


def _make(base: bytes) -> tuple[bytes, int]:
    """Create and lock a directory; return its path and the locked descriptor."""
    while True:
        path = base + b"/" + PREFIX + os.urandom(6).hex().encode()
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue
        try:
            fd = os.open(path, _OPEN)
        except FileNotFoundError:
            continue  # another start has just removed it as a leftover
        if _lock(fd, fcntl.LOCK_SH) and os.path.isdir(path):
            return path, fd
        os.close(fd)


def _lock(fd: int, how: int) -> bool:
    """Lock a directory; return False if that is impossible without waiting."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_leftovers(base: bytes) -> None:
    """Remove the directories that no start holds; in a shared parent, only the caller's own."""
    try:
        shared, names = not only_ours(os.stat(base)), os.listdir(base)
    except OSError:
        return  # a directory may be writable and not readable
    for name in names:
        if name.startswith(PREFIX):
            try:
                _remove(base + b"/" + name, shared)
            except OSError:
                continue  # not a directory, or removed by another start


def _remove(path: bytes, shared: bool) -> None:
    """Remove a directory that no start holds, of the caller if ``shared``. Raises OSError."""
    fd = os.open(path, _OPEN)
    try:
        if shared and os.fstat(fd).st_uid != os.geteuid():
            return
        if _lock(fd, fcntl.LOCK_EX):
            if os.fsdecode(SOCKET) in os.listdir(fd):  # perhaps the killed start never bound it
                os.unlink(SOCKET, dir_fd=fd)
            os.rmdir(path)
    finally:
        os.close(fd)

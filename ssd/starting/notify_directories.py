"""The directories of notification sockets: one for each start that waits, and none left for long.

A start that is killed while it waits leaves its own. A living one holds a lock on its directory
(flock(2), which ends with its holder, however he ends), so the next that waits for a
notification can tell which are nobody's any more, and removes them.
"""

import fcntl
import os

from ssd.paths import only_ours

PREFIX = b".ssd-notify."
SOCKET = b"notify"
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class SocketPlace:
    """A directory for one socket, of nobody but the caller until it is given away.

    ``path`` is the socket's.
    """

    __slots__ = ("path", "directory", "_fd")

    def __init__(self) -> None:
        """Make it, and clear what is left of others. Raises OSError."""
        base = _base()
        _clear(base)
        self.directory, self._fd = _make(base)
        self.path = self.directory + b"/" + SOCKET

    def remove(self) -> None:
        """Remove the socket and the directory."""
        for remove, path in ((os.unlink, self.path), (os.rmdir, self.directory)):
            try:
                remove(path)
            except OSError:
                continue  # never bound, or the program's user, whose it is, changed it
        os.close(self._fd)


def _base() -> bytes:
    """Return where the directories are: in /run for root, else in TMPDIR or /tmp."""
    if os.getuid() == 0 and os.path.isdir(b"/run"):
        return b"/run"
    return os.environb.get(b"TMPDIR", b"/tmp")


def _make(base: bytes) -> tuple[bytes, int]:
    """Make a directory and hold it; return its path and the descriptor that does."""
    while True:
        path = base + b"/" + PREFIX + os.urandom(6).hex().encode()
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue  # one in 2**48: draw again
        try:
            fd = os.open(path, _OPEN)
        except FileNotFoundError:
            continue  # another start took it for left over in this very moment
        if _hold(fd, fcntl.LOCK_SH) and os.path.isdir(path):
            return path, fd
        os.close(fd)


def _hold(fd: int, how: int) -> bool:
    """Lock a directory if that is to be had at once."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _clear(base: bytes) -> None:
    """Remove the directories that nobody holds any more, as far as they are ours to remove."""
    try:
        with_others, names = not only_ours(os.stat(base)), os.listdir(base)
    except OSError:
        return  # one may be made in a directory that cannot be read; what cannot be made is told
    for name in names:
        if name.startswith(PREFIX):
            try:
                _remove(base + b"/" + name, with_others)
            except OSError:
                continue  # it is something else, or another start was quicker


def _remove(path: bytes, with_others: bool) -> None:
    """Remove a directory unless it is held, or ``with_others`` somebody else's. Raises OSError."""
    fd = os.open(path, _OPEN)
    try:
        if with_others and os.fstat(fd).st_uid != os.geteuid():
            return
        if _hold(fd, fcntl.LOCK_EX):
            if os.fsdecode(SOCKET) in os.listdir(fd):  # it may never have been bound
                os.unlink(SOCKET, dir_fd=fd)
            os.rmdir(path)
    finally:
        os.close(fd)

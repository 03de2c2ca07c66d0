"""A log that several loggers may write: each takes a turn under flock(2).

After a restart the logger of the old daemon may still live, because a child of that daemon has the
old output. So two loggers must be able to write one log. The lock is on the log itself, not on a
file beside it, and rotation gives the log's name to another file. These rules keep both right:

- names are changed only under the lock of the file that has the log's name;
- a rotation locks the new file before it takes the name from the old one. Whoever finds no log,
  but a new file, waits for the lock of that.
"""

import errno
import fcntl
import os
from time import monotonic, sleep

from ssd.logs.files import LogFile, open_in
from ssd.logs.rotation import NEXT, exists, recover

PATIENCE = 5.0  # seconds; a turn takes milliseconds. Who may read a log can lock it for ever
PAUSE = 0.005  # seconds between two attempts
ATTEMPTS = 100  # rotations by others while one is opened
_LEFT = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SharedFile(LogFile):
    """A log that is open for writing, and locked until ``unlock``."""

    __slots__ = ()

    def _open(self, directory: int, base: str) -> int:
        """Open and lock the log, and make it if it is missing. Raises OSError."""
        for _ in range(ATTEMPTS):
            if not exists(directory, base) and self._wait_for_rotation(directory, base):
                continue
            fd = open_in(directory, base, True, self.uid)
            try:
                lock(fd)
                if _is_named(fd, directory, base):
                    recover(directory, base, self.keep)  # removes what a killed logger has left
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
        raise OSError(errno.EBUSY, "it is rotated all the time")

    def _wait_for_rotation(self, directory: int, base: str) -> bool:
        """Wait for a rotation by another, and end it if that was killed; say if there was one."""
        try:
            fd = os.open(base + NEXT, _LEFT, dir_fd=directory)
        except FileNotFoundError:
            return False
        try:
            lock(fd)
            if not exists(directory, base):
                recover(directory, base, self.keep)
        finally:
            os.close(fd)
        return True

    def made(self, fresh: int) -> None:
        """Lock a new file before the log's name is given to it."""
        lock(fresh)

    def current(self) -> bool:
        """Lock the file; tell whether the path still leads to it, and take over its size."""
        lock(self.fd)
        return super().current()

    def unlock(self) -> None:
        """Let others write."""
        if self.fd >= 0:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close it, which unlocks it."""
        super().close()
        self.fd = -1


def lock(fd: int) -> None:
    """Lock a file; after PATIENCE go on without, as a log without a lock is written."""
    until = monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                return  # a file system without flock(2)
        if monotonic() >= until:
            return
        sleep(PAUSE)


def _is_named(fd: int, directory: int, base: str) -> bool:
    """Tell whether an open file has a name."""
    try:
        there = os.stat(base, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), there)

"""What few starts need of a lock: its directory made or cleared, and a name without a pidfile.

Where it lies follows from the account alone, not from the environment: cron has no
XDG_RUNTIME_DIR, and must exclude the same user's login (``ssd.pidfile.locking``).
"""

import fcntl
import os
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Criteria

MIN_LEFTOVER_AGE = 60.0  # seconds; a younger file may be one that a start is about to lock


def make(path: bytes) -> None:
    """Make a directory of the caller's own, unless something is there.

    Above it a ``.cache`` may be missing too, as in the XDG Base Directory Specification.
    Raises OSError.
    """
    above = os.path.dirname(path)
    for each in (above, path) if above.endswith(b"/.cache") else (path,):
        try:
            os.mkdir(each, 0o700)
            os.chmod(each, 0o700)  # the caller's umask has had its say in mkdir(2)
        except FileExistsError:
            continue


def key(criteria: "Criteria") -> bytes:
    """Name the lock of a start without a pidfile after what it looks for."""
    parts = []
    if criteria.file is not None:
        parts.append(b"exec-%x-%x" % criteria.file)
    if criteria.name is not None:
        parts.append(b"name-" + criteria.name.hex().encode())
    for label, number in ((b"pid", criteria.pid), (b"ppid", criteria.ppid), (b"uid", criteria.uid)):
        if number is not None:
            parts.append(b"%s-%d" % (label, number))
    return b"+".join(parts)


def remove_leftovers(directory: int, names: "Iterable[str]") -> None:
    """Remove the lock files among ``names`` that nobody holds any more.

    A start that became its program leaves one, and so does one that was killed.
    """
    for name in names:
        try:
            made = os.lstat(name, dir_fd=directory).st_mtime
            if name.endswith(".lock") and abs(time() - made) >= MIN_LEFTOVER_AGE:
                _remove(name, directory)
        except OSError:
            continue  # it is held, or gone by now


def _remove(name: str, directory: int) -> None:
    """Remove a file under its lock: who waits for that makes a new one. Raises OSError."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its holder may have removed it before we got the lock, and the name be another's file.
        if os.path.samestat(os.fstat(fd), os.lstat(name, dir_fd=directory)):
            os.unlink(name, dir_fd=directory)
        fcntl.flock(fd, fcntl.LOCK_UN)  # in a child, too, that another thread has forked
    finally:
        os.close(fd)

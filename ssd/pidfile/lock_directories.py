"""The directories of locks: create one, and remove leftover lock files.

Also the key of a lock without a pidfile. Few starts need any of this (``ssd.pidfile.locking``).
"""

import fcntl
import os
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Criteria

MIN_LEFTOVER_AGE = 60.0  # seconds; a start may be about to lock a younger file


def create(path: bytes) -> None:
    """Create a directory that only the caller can write, unless it exists. Raises OSError.

    A missing parent ``.cache`` is created, too (XDG Base Directory Specification).
    """
    above = os.path.dirname(path)
    for each in (above, path) if above.endswith(b"/.cache") else (path,):
        try:
            os.mkdir(each, 0o700)
            os.chmod(each, 0o700)  # the umask may have changed the mode of mkdir(2)
        except FileExistsError:
            continue


def home_of(uid: int) -> bytes | None:
    """Return a user's home directory, None unless it exists and only the user can write it."""
    import pwd

    try:
        home = os.fsencode(pwd.getpwuid(uid).pw_dir)
        facts = os.stat(home)
    except (KeyError, OSError):
        return None  # no account, or no such directory
    own = facts.st_uid == uid and not facts.st_mode & 0o022
    return home if home.startswith(b"/") and own else None


def key(criteria: "Criteria") -> bytes:
    """Return the key of a lock without a pidfile: the criteria of the start."""
    parts = []
    if criteria.file is not None:
        parts.append(b"exec-%x-%x" % criteria.file)
    if criteria.name is not None:
        parts.append(b"name-" + criteria.name[:60].hex().encode())  # NAME_MAX is 255
    for label, number in ((b"pid", criteria.pid), (b"ppid", criteria.ppid), (b"uid", criteria.uid)):
        if number is not None:
            parts.append(b"%s-%d" % (label, number))
    return b"+".join(parts)


def remove_leftovers(directory: int, names: "Iterable[str]") -> None:
    """Remove the lock files among ``names`` that no process holds.

    A foreground start leaves its lock file, and so does a start that is killed.
    """
    for name in names:
        try:
            made = os.lstat(name, dir_fd=directory).st_mtime
            if name.endswith(".lock") and abs(time() - made) >= MIN_LEFTOVER_AGE:
                _remove(name, directory)
        except OSError:
            continue  # it is held, or already removed


def _remove(name: str, directory: int) -> None:
    """Remove a file under its lock; a waiting start creates a new one. Raises OSError."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last holder may have removed it before we got the lock, and the name may be in use.
        held, named = os.fstat(fd), os.lstat(name, dir_fd=directory)
        if (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino):
            os.unlink(name, dir_fd=directory)
        fcntl.flock(fd, fcntl.LOCK_UN)  # even if a forked child has a copy
    finally:
        os.close(fd)

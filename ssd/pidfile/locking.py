"""The lock against concurrent starts.

It is a flock(2) on a file of its own. The kernel releases it when the holder ends in any way, so a
killed start never blocks the next one. A user who can write the file's directory could hold or
replace the lock. So the directory is one that only root and the caller can write, and users who
need not trust each other have different locks. The directory depends only on the account, not on
the environment: cron has no XDG_RUNTIME_DIR, and must exclude the same user's login.
"""

import errno
import os
import stat

from ssd.errors import EXHAUSTED, Error
from ssd.paths import UntrustedLink, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssd.matching import Criteria, Match

_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_ENTER = os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)


class NoLock(Exception):
    """No lock can be taken. ``path``: the file that was tried last. ``reason``: why not."""

    def __init__(self, path: str, reason: str | None) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    __reduce__ = Error.__reduce__


class Lock:
    """A held lock. It ends with ``release()``, or when the process ends or executes a program."""

    __slots__ = ("path", "beside", "_fd", "_directory", "_base")

    def __init__(self, path: str, fd: int, directory: int, base: bytes) -> None:
        self.path = path
        self.beside = False  # whether the lock file is in the pidfile's directory
        self._fd = fd
        self._directory = directory
        self._base = base

    def fileno(self) -> int:
        """Return the locked descriptor. The lock ends when its last copy is closed."""
        return self._fd

    def remove_leftovers(self) -> None:
        """Remove leftover lock files of other starts, unless this is the pidfile's directory."""
        names = [] if self.beside else os.listdir(self.path.rpartition("/")[0])
        if len(names) > 1:  # more than this lock
            from ssd.pidfile.lock_directories import remove_leftovers

            remove_leftovers(self._directory, names)

    def release(self) -> None:
        """Remove the lock file and unlock; a waiting start creates a new file."""
        if self._fd < 0:
            return
        try:
            os.unlink(self._base, dir_fd=self._directory)
        except OSError:
            pass  # already removed, or the disk is read-only now: the kernel has the lock
        finally:
            import fcntl

            fcntl.flock(self._fd, fcntl.LOCK_UN)  # even if a forked child has a copy
            os.close(self._fd)
            os.close(self._directory)
            self._fd = -1


def acquire(match: "Match", criteria: "Criteria", timeout: float | None = None) -> Lock | None:
    """Take the lock for a start of what ``match`` means.

    ``timeout``: seconds to wait, which may be infinite. None waits a minute by SIGALRM, which only
    a process that is ours may use. Returns None if starts need not exclude each other: the pidfile
    is /dev/null, which asks for a start in any case, or empty. Raises NoLock, and StartBlocked when
    the time is up.
    """
    if match.pidfile is None:
        from ssd.pidfile.lock_directories import key

        return _acquire(key(criteria), None, timeout)
    name = os.fsencode(match.pidfile)
    if name in (b"/dev/null", b""):
        return None
    try:
        directory, last = walk(name, follow_last=True)
    except UntrustedLink as link:
        raise NoLock(os.fsdecode(name), f"others can replace the link {link.name!r}") from None
    except FileNotFoundError:  # the program will create the directory: only its path is known
        return _acquire(b"path-%s" % name.replace(b"/", b"%")[-200:], None, timeout)
    except OSError as error:
        raise NoLock(os.fsdecode(name), error.strerror) from error
    try:
        here = os.fstat(directory)  # the same for every path of the directory
        about = b"pidfile-%x-%x-%s" % (here.st_dev, here.st_ino, os.fsencode(last)[:200])
        above = name[: max(name.rfind(b"/"), name.startswith(b"/"))]  # os.path would load all of os
        return _acquire(about, (above, directory), timeout)
    finally:
        os.close(directory)


def _acquire(key: bytes, beside: "tuple[bytes, int] | None", timeout: float | None) -> Lock:
    """Take a lock in the first usable directory. Raises NoLock for the last one that failed."""
    base = b".%s.lock" % key
    errors: list[OSError] = []
    for path, enter in candidates(os.geteuid(), beside):
        shown = os.fsdecode(path and path.rstrip(b"/") + b"/" + base or base)
        try:
            lock = _take(shown, enter(), base, timeout)
            lock.beside = beside is not None and path == beside[0]
            return lock
        except OSError as error:
            errors.append(error)
            if error.errno in EXHAUSTED:
                break  # a later start would lock in the better directory
    raise NoLock(shown, errors[-1].strerror) from errors[-1]


def candidates(
    uid: int, beside: "tuple[bytes, int] | None"
) -> "Iterator[tuple[bytes, Callable[[], int]]]":
    """Yield the directories for a user's locks, the best first, each with a function to open it.

    ``beside``: path and descriptor of the pidfile's directory. Opening may raise OSError.
    """
    if uid == 0:
        yield b"/run/ssd", lambda: _enter(b"/run/ssd")
    else:
        from ssd.pidfile.lock_directories import home_of

        if home := home_of(uid):
            cache = home + b"/.cache/ssd"
            yield cache, lambda: _enter(cache)
    if beside is not None:
        directory = beside[1]
        yield beside[0], lambda: _owned(os.dup(directory), True)
    yield b"/tmp/ssd-%d" % uid, lambda: _enter(b"/tmp/ssd-%d" % uid)


def _is_own(facts: os.stat_result, uid: int) -> bool:
    """Return whether only a user (and root) can write a directory."""
    return facts.st_uid == uid and not facts.st_mode & 0o022


def _enter(path: bytes) -> int:
    """Open a directory that only the caller can write; create it if it is missing."""
    try:
        fd = os.open(path, _ENTER)
    except FileNotFoundError:
        from ssd.pidfile.lock_directories import create

        create(path)
        fd = os.open(path, _ENTER)
    above = os.stat(path.rpartition(b"/")[0])
    # Other users must not be able to rename it (rename(2)).
    return _owned(fd, not above.st_mode & 0o022 or bool(above.st_mode & stat.S_ISVTX))


def _owned(fd: int, stays: bool) -> int:
    """Return the descriptor of a directory; close it and raise OSError if others can write it.

    ``stays``: whether only the caller and root can rename it.
    """
    facts = os.fstat(fd)
    if stays and _is_own(facts, os.geteuid()):
        return fd
    os.close(fd)
    raise OSError(errno.EPERM, "it is not a directory of the caller's own")


def _take(shown: str, directory: int, base: bytes, timeout: float | None) -> Lock:
    """Take the lock in a directory; close the directory on failure."""
    try:
        return Lock(shown, _locked(base, directory, shown, timeout), directory, base)
    except BaseException:
        os.close(directory)
        raise


def _locked(base: bytes, directory: int, shown: str, timeout: float | None) -> int:
    """Open and lock the file; try again if its last holder removes it meanwhile."""
    while True:
        try:
            fd = os.open(base, _OPEN, 0o600, dir_fd=directory)
        except PermissionError:
            if os.lstat(base, dir_fd=directory).st_mode & 0o600 == 0o600:
                raise
            os.chmod(base, 0o600, dir_fd=directory)  # its creator was killed before fchmod(2)
            continue
        try:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            if facts.st_mode & 0o777 != 0o600:
                os.fchmod(fd, 0o600)  # the umask may have changed the mode of open(2)
            _wait(fd, shown, timeout)
            if _still_named(facts, base, directory):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _still_named(facts: os.stat_result, base: bytes, directory: int) -> bool:
    """Return whether the locked file still has its name."""
    try:
        named = os.lstat(base, dir_fd=directory)
        return (named.st_dev, named.st_ino) == (facts.st_dev, facts.st_ino)
    except FileNotFoundError:
        return False


def _wait(fd: int, shown: str, timeout: float | None) -> None:
    """Lock the descriptor. Raises StartBlocked when the time is up."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        pass  # another start holds it
    from ssd.pidfile import lock_waiting

    lock_waiting.wait(fd, shown, timeout)

"""The lock that makes one of many starts at the same moment the only one.

It is a flock(2) on a file of its own, so the kernel releases it when its holder ends, however
it ends: a killed start never blocks the next. Whoever can write the file's directory could hold
or replace it. So it lies where nobody but root and the caller can write, and is named after
what is started: users who need not trust each other have different locks.
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
    """No lock can be had here. ``path`` and ``reason`` say where and why."""

    def __init__(self, path: str, reason: str | None) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    __reduce__ = Error.__reduce__


class Lock:
    """A held lock; release it by ``release()``, or let the process end or exec."""

    __slots__ = ("path", "beside", "_fd", "_directory", "_base")

    def __init__(self, path: str, fd: int, directory: int, base: bytes) -> None:
        self.path = path
        self.beside = False  # the pidfile, and not in a directory of locks
        self._fd = fd
        self._directory = directory
        self._base = base

    def fileno(self) -> int:
        """Return the descriptor whose last copy, closed, is the lock released."""
        return self._fd

    def remove_leftovers(self) -> None:
        """Remove what other starts have left here, if it is a directory of locks alone."""
        names = [] if self.beside else os.listdir(os.path.dirname(self.path))
        if len(names) > 1:  # its own and others
            from ssd.pidfile.lock_directories import remove_leftovers

            remove_leftovers(self._directory, names)

    def release(self) -> None:
        """Remove the lock file and let go; whoever waits for it makes a new one."""
        if self._fd < 0:
            return
        try:
            os.unlink(self._base, dir_fd=self._directory)
        except OSError:
            pass  # it is gone, or the disk is read-only by now: the lock is in the kernel
        finally:
            import fcntl

            fcntl.flock(self._fd, fcntl.LOCK_UN)  # in a child, too, that another thread has forked
            os.close(self._fd)
            os.close(self._directory)
            self._fd = -1


def acquire(match: "Match", criteria: "Criteria", timeout: float | None = None) -> Lock | None:
    """Take the lock for starting what ``match`` means; wait up to a minute for it.

    The minute is kept by SIGALRM, so only where this process is ours; anybody else says how
    many ``timeout``, which may be infinite. Returns None where there is nothing to keep apart
    (``--pidfile /dev/null`` asks for a start no matter what, and "" is no file). Raises NoLock
    if none can be had, and StartBlocked if another start does not come to its end.
    """
    if match.pidfile is None:
        from ssd.pidfile.lock_directories import key  # a pidfile's key is a few words

        return _acquire(key(criteria), None, timeout)
    name = os.fsencode(match.pidfile)
    if name in (b"/dev/null", b""):
        return None
    try:
        directory, last = walk(name, follow_last=True)
    except UntrustedLink as link:
        raise NoLock(os.fsdecode(name), f"others can make the link {link.name!r}") from None
    except FileNotFoundError:  # the program makes the directory: all there is yet is a path
        return _acquire(b"path-%s" % name.replace(b"/", b"%")[-200:], None, timeout)
    except OSError as error:
        raise NoLock(os.fsdecode(name), error.strerror) from error
    try:
        here = os.fstat(directory)  # what the directory is, whatever path leads there
        about = b"pidfile-%x-%x-%s" % (here.st_dev, here.st_ino, os.fsencode(last)[:200])
        return _acquire(about, (os.path.dirname(name), directory), timeout)
    finally:
        os.close(directory)


def _acquire(key: bytes, beside: "tuple[bytes, int] | None", timeout: float | None) -> Lock:
    """Take a lock in the first place that serves. Raises NoLock, which tells of the last."""
    base = b".%s.lock" % key
    faults: list[OSError] = []
    for path, enter in candidates(os.geteuid(), beside):
        shown = os.fsdecode(os.path.join(path, base))
        try:
            lock = _take(shown, enter(), base, timeout)
            lock.beside = beside is not None and path == beside[0]
            return lock
        except OSError as error:
            faults.append(error)
            if error.errno in EXHAUSTED:
                break  # in a moment the better place would do, where others lock by then
    raise NoLock(shown, faults[-1].strerror) from faults[-1]


def candidates(
    uid: int, beside: "tuple[bytes, int] | None"
) -> "Iterator[tuple[bytes, Callable[[], int]]]":
    """Yield where a user's locks may lie, the best place first, and what opens it.

    ``beside``: path and descriptor of the pidfile's directory. To open one may raise OSError.
    """
    if uid == 0:
        yield b"/run/ssd", lambda: _enter(b"/run/ssd")
    elif home := _home(uid):
        cache = home + b"/.cache/ssd"
        yield cache, lambda: _enter(cache)
    if beside is not None:
        directory = beside[1]
        yield beside[0], lambda: _owned(os.dup(directory), True)
    yield b"/tmp/ssd-%d" % uid, lambda: _enter(b"/tmp/ssd-%d" % uid)


def _home(uid: int) -> bytes | None:
    """Return a user's home directory; None unless it is there and his alone to write."""
    import pwd  # root has no need of it

    try:
        home = os.fsencode(pwd.getpwuid(uid).pw_dir)
        own = home.startswith(b"/") and _is_own(os.stat(home), uid)
    except (KeyError, OSError):
        return None  # no account, or no such directory
    return home if own else None


def _is_own(facts: os.stat_result, uid: int) -> bool:
    """Tell whether nobody but a user (and root) can write a directory."""
    return facts.st_uid == uid and not facts.st_mode & 0o022


def _enter(path: bytes) -> int:
    """Return a descriptor of a directory of the caller's own; it is made if need be."""
    try:
        fd = os.open(path, _ENTER)
    except FileNotFoundError:
        from ssd.pidfile.lock_directories import make  # once on a machine

        make(path)
        fd = os.open(path, _ENTER)
    above = os.stat(os.path.dirname(path))
    # Others must not rename it away: rename(2).
    return _owned(fd, not above.st_mode & 0o022 or bool(above.st_mode & stat.S_ISVTX))


def _owned(fd: int, stays: bool) -> int:
    """Return the descriptor of a directory, or close it and raise OSError if it is not ours."""
    facts = os.fstat(fd)
    if stays and _is_own(facts, os.geteuid()):
        return fd
    os.close(fd)
    raise OSError(errno.EPERM, "it is not a directory of the caller's own")


def _take(shown: str, directory: int, base: bytes, timeout: float | None) -> Lock:
    """Take the lock in a directory; close that if it fails."""
    try:
        return Lock(shown, _locked(base, directory, shown, timeout), directory, base)
    except BaseException:
        os.close(directory)
        raise


def _locked(base: bytes, directory: int, shown: str, timeout: float | None) -> int:
    """Open and lock the file, again and again while its last holder removes it under us."""
    while True:
        try:
            fd = os.open(base, _OPEN, 0o600, dir_fd=directory)
        except PermissionError:
            if os.lstat(base, dir_fd=directory).st_mode & 0o600 == 0o600:
                raise
            os.chmod(base, 0o600, dir_fd=directory)  # its maker was killed before he could
            continue
        try:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            if facts.st_mode & 0o777 != 0o600:
                os.fchmod(fd, 0o600)  # the caller's umask has had its say in open(2)
            _wait(fd, shown, timeout)
            if _still_named(facts, base, directory):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _still_named(facts: os.stat_result, base: bytes, directory: int) -> bool:
    """Tell whether the locked file is still the one that others will find."""
    try:
        return os.path.samestat(os.lstat(base, dir_fd=directory), facts)
    except FileNotFoundError:
        return False


def _wait(fd: int, shown: str, timeout: float | None) -> None:
    """Lock, at once or as soon as it is free. Raises StartBlocked when the time is up."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        pass  # the usual answer to a second start
    from ssd.pidfile import lock_waiting

    lock_waiting.wait(fd, shown, timeout)

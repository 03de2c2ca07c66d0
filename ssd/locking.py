"""The lock that makes one of many starts at the same moment the only one.

It is a flock(2) on a file of its own, so the kernel releases it when its holder ends,
however it ends: a killed start never blocks the next. For a pidfile the lock file lies
beside it, ``.NAME.lock``, and whoever may write that directory may open it, and nobody
else: a stranger can hold no lock that others wait for. Where it lies without a pidfile is in
``ssd.lockplaces``.
"""

import errno
import os
import stat

from ssd.errors import Error
from ssd.paths import UntrustedLink, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Criteria, Match

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class NoLock(Exception):
    """No lock can be had here. ``path`` and ``reason`` say where and why."""

    def __init__(self, path: str, reason: str | None) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    __reduce__ = Error.__reduce__


class Lock:
    """A held lock; release it by ``release()``, or let the process end or exec."""

    __slots__ = ("path", "_fd", "_directory", "_base")

    def __init__(self, path: str, fd: int, directory: int, base: bytes) -> None:
        self.path = path
        self._fd = fd
        self._directory = directory
        self._base = base

    def fileno(self) -> int:
        """Return the descriptor whose last copy, closed, is the lock released."""
        return self._fd

    def release(self) -> None:
        """Remove the lock file and let go; whoever waits for it makes a new one."""
        if self._fd < 0:
            return
        try:
            os.unlink(self._base, dir_fd=self._directory)
        except OSError:
            pass  # not ours to remove (sticky directory), or gone: the lock is in the kernel
        finally:
            import fcntl

            fcntl.flock(self._fd, fcntl.LOCK_UN)  # in a child, too, that another thread has forked
            os.close(self._fd)
            os.close(self._directory)
            self._fd = -1


def acquire(match: "Match", criteria: "Criteria", seconds: float | None = None) -> Lock | None:
    """Take the lock for starting what ``match`` means; wait up to a minute for it.

    The minute is kept by SIGALRM, so only where this process is ours. Anybody else says how
    many ``seconds`` to wait; with infinity the wait has no end but the other's. Returns None
    where there is nothing to keep apart (``--pidfile /dev/null`` asks for a start no matter
    what, and "" is no file). Raises NoLock if none can be had and StartBlocked if another
    start does not come to its end.
    """
    name = os.fsencode(match.pidfile) if match.pidfile is not None else None
    if name in (b"/dev/null", b""):
        return None
    if name is None:
        from ssd.lockplaces import place  # a pidfile is a place of its own

        name = place(criteria)
    shown = os.fsdecode(os.path.join(os.path.dirname(name), b".%s.lock" % os.path.basename(name)))
    try:
        directory, last = walk(name, follow_last=True)
    except UntrustedLink as link:
        raise NoLock(shown, f"others can make the link {link.name!r}") from None
    except OSError as error:
        raise NoLock(shown, error.strerror) from error
    base = b".%s.lock" % os.fsencode(last)[:200]
    try:
        return Lock(shown, _locked(base, directory, shown, seconds), directory, base)
    except OSError as error:
        os.close(directory)
        raise NoLock(shown, error.strerror) from error
    except BaseException:
        os.close(directory)
        raise


def _locked(base: bytes, directory: int, shown: str, seconds: float | None) -> int:
    """Open and lock the file, again and again while its last holder removes it under us."""
    while True:
        fd = _open(base, directory)
        try:
            _wait(fd, shown, seconds)
            if _still_named(fd, base, directory):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _open(base: bytes, directory: int) -> int:
    """Open the lock file, and make it if it is not there."""
    while True:
        try:
            fd = os.open(base, _OPEN, dir_fd=directory)
        except FileNotFoundError:
            made = _make(base, directory)
            if made is not None:
                return made
        else:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
            raise OSError(errno.EINVAL, "it is no regular file")


def _make(base: bytes, directory: int) -> int | None:
    """Make the lock file; None if somebody else was quicker.

    It gets its name by link(2) when it has its owner and mode: under its name it can be
    opened by all who may, from the first moment. Until then its name is one that nobody
    can have put there before, for a link to a file that root would give away.
    """
    private = b"%s.%s" % (base, os.urandom(8).hex().encode())
    fd = os.open(private, _OPEN | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    try:
        _share(fd, os.fstat(directory))
        os.link(private, base, src_dir_fd=directory, dst_dir_fd=directory)
        return fd
    except FileExistsError:
        os.close(fd)
        return None
    except OSError as error:
        os.close(fd)
        if error.errno not in _NO_LINKS:
            raise
    finally:
        os.unlink(private, dir_fd=directory)
    return _make_plainly(base, directory)


def _make_plainly(base: bytes, directory: int) -> int | None:
    """Make the lock file where the file system has no hard links (vfat, some of FUSE)."""
    try:
        fd = os.open(base, _OPEN | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    except FileExistsError:
        return None
    _share(fd, os.fstat(directory))
    return fd


def _share(fd: int, directory: os.stat_result) -> None:
    """Let those who may write the directory open the lock file."""
    try:
        root = os.geteuid() == 0
        os.fchown(fd, directory.st_uid if root else -1, directory.st_gid)
    except PermissionError:
        pass  # not a member of the directory's group: then it is shared with others at most
    writers = directory.st_mode & 0o022
    os.fchmod(fd, 0o600 | writers | writers << 1)


def _still_named(fd: int, base: bytes, directory: int) -> bool:
    """Tell whether the locked file is still the one that others will find."""
    try:
        there = os.lstat(base, dir_fd=directory)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))


def _wait(fd: int, shown: str, seconds: float | None) -> None:
    """Lock, at once or as soon as it is free. Raises StartBlocked when the time is up."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        pass  # the usual answer to a second start
    from ssd import patience  # a start that is alone has no use for it

    patience.wait(fd, shown, seconds)

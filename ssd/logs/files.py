"""The open files of all logs: at most 256 at a time, each where its path leads.

A log belongs to the supervisor: only it may write, and it alone rotates. But an administrator may
move, remove, shorten or append to a file at any time. So before each turn stat(2) asks whether
the path still leads to the open file, and how long that is.

splice(2) takes no descriptor with O_APPEND, so a file is written at its end as stat(2) told it.
Another writer that appends in the microseconds between would be written over.
"""

import errno
import os
import stat

from ssd.logs.forms import TAIL
from ssd.logs.rotation import line_end, recover, rotate
from ssd.paths import UntrustedLink, walk
from ssd.planted import distrust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OPEN_FILES = 256
MODE = 0o640  # less the umask
BEGUN = "user.ssd.begun"  # extended attribute: when the file was begun, seconds since the epoch
_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
SPACE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EIO,
)


def locate(path: str) -> tuple[int, str]:
    """Return a descriptor of a log's directory, and the name in it. Raises OSError."""
    try:
        return walk(os.fsencode(path), follow_last=True)
    except UntrustedLink as link:
        raise OSError(errno.ELOOP, link.reason) from None


def open_in(directory: int, base: str, write: bool, uid: "int | None") -> int:
    """Open a log, and make it for writing, unless another user can have put it there.

    ``uid``: the service's user. Raises OSError.
    """
    fd = os.open(base, _WRITE if write else _READ, MODE, dir_fd=directory)
    try:
        facts = os.fstat(fd)
        reason = distrust(facts, os.fstat(directory), uid)
        if not stat.S_ISREG(facts.st_mode):
            reason = "it is not a regular file"
        if reason:
            raise OSError(errno.EPERM, reason)
    except BaseException:
        os.close(fd)
        raise
    return fd


def make_directory(path: str) -> None:
    """Make a directory, and those above it, with mode 0755. Raises OSError."""
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_directory(os.path.dirname(path))
        os.mkdir(path, 0o755)


class LogFile:
    """A log that is open for writing."""

    __slots__ = (
        "path",
        "keep",
        "uid",
        "fd",
        "size",
        "place",
        "begun",
        "limit",
        "spliced",
    )

    def __init__(self, path: str, keep: int, uid: "int | None") -> None:
        self.path = path
        self.keep = keep
        self.uid = uid
        self.limit = 0  # bytes; a rotation that failed is tried again at this size
        self.spliced = True  # until the file system says that it cannot
        directory, base = locate(path)
        try:
            self._hold(self._open(directory, base))
        finally:
            os.close(directory)

    def _open(self, directory: int, base: str) -> int:
        """Open the log, and make it if it is missing; end a rotation that was interrupted."""
        recover(directory, base, self.keep)
        return open_in(directory, base, True, self.uid)

    def made(self, fresh: int) -> None:
        """Be told of a new file, before the log's name is given to it."""

    def _hold(self, fd: int) -> None:
        facts = os.fstat(fd)
        self.fd = fd
        self.size = facts.st_size
        self.place = facts.st_dev, facts.st_ino
        self.begun: float | None = None

    def current(self) -> bool:
        """Tell whether the path still leads to this file, and take over its size."""
        try:
            facts = os.stat(self.path)
        except OSError:
            return False  # opening it anew says why
        self.size = facts.st_size
        return (facts.st_dev, facts.st_ino) == self.place

    def age(self, now: float) -> float:
        """Return for how many seconds the file has been filled. ``now``: since the epoch."""
        if not self.size:
            self.begun = now
            self._mark(now)
        elif self.begun is None:
            self.begun = now
            try:
                self.begun = float(os.getxattr(self.fd, BEGUN))
            except (OSError, ValueError, AttributeError):
                self._mark(now)
        return now - self.begun

    def _mark(self, now: float) -> None:
        """Note the time in the file, for a supervisor to come."""
        try:
            os.setxattr(self.fd, BEGUN, b"%d" % now)
        except (OSError, AttributeError):
            return  # not on this system: the age counts from when this supervisor first saw it

    def tail(self) -> bytes:
        """Return the last bytes."""
        return os.pread(self.fd, TAIL, max(0, self.size - TAIL))

    def write(self, data: bytes, place: int) -> None:
        """Write at an offset. Raises OSError; ``size`` then includes what was written."""
        left = memoryview(data)
        while left:
            count = os.pwrite(self.fd, left, place)
            place += count
            self.size = max(self.size, place)
            left = left[count:]

    def rotate(self, whole: bool) -> None:
        """Begin a new file with the begun line. Raises OSError, with the file as it was.

        A line longer than the file, or than a megabyte, is cut; with ``whole`` nothing is done.
        """
        cut = line_end(self.fd, self.size)
        if not cut and whole:
            return
        directory, base = locate(self.path)
        try:
            fresh = rotate(directory, base, self.fd, cut or self.size, self.keep, self.made)
        finally:
            os.close(directory)
        os.close(self.fd)
        self.limit = 0
        self._hold(fresh)

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)


class Files:
    """The logs that are open, the one used last at the end."""

    __slots__ = ("_open", "_most")

    def __init__(self, most: int = OPEN_FILES) -> None:
        self._open: dict[object, LogFile] = {}
        self._most = most

    def get(self, key: object, make: "Callable[[], LogFile]") -> LogFile:
        """Return the open file of a stream, opened anew where its path leads elsewhere now."""
        file = self._open.pop(key, None)
        if file is not None and not file.current():
            file.close()
            file = None
        if file is None:
            file = self._make(make)
        self._open[key] = file
        return file

    def known(self, key: object) -> LogFile | None:
        """Return the open file of a stream, None without one."""
        return self._open.get(key)

    def _make(self, make: "Callable[[], LogFile]") -> LogFile:
        if len(self._open) >= self._most:
            self.drop(next(iter(self._open)))
        try:
            return make()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._open:
                raise
        self.close()  # no descriptor is left: the files of others give theirs
        return make()

    def drop(self, key: object) -> None:
        """Close the file of a stream, if it is open."""
        file = self._open.pop(key, None)
        if file is not None:
            file.close()

    def close(self) -> None:
        """Close all."""
        for key in list(self._open):
            self.drop(key)

"""Write a pidfile in one step, with the mark of its process. Only a start needs this."""

import errno
import os
import stat

from ssd.errors import PidfileUnwritable
from ssd.matching import UNKNOWN_START
from ssd.paths import UntrustedLink, walk
from ssd.pidfile import MARK_ATTRIBUTES, NULL
from ssd.pidfile.marks import Mark
from ssd.stdio import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable


class Written:
    """A pidfile just written. It can be removed even after chroot(2): its directory is open."""

    __slots__ = ("_directory", "_base")

    def __init__(self, directory: int, base: str) -> None:
        self._directory = directory
        self._base = base

    def remove(self) -> None:
        """Remove the file. Raises OSError."""
        os.unlink(self._base, dir_fd=self._directory)

    def close(self) -> None:
        """Close the directory."""
        os.close(self._directory)


def write(
    path: str | bytes, pid: int, umask: int = 0o022, mark: Mark | None = None
) -> Written | None:
    """Write a pid and a newline as a new file; return None for /dev/null.

    The mode is 0644 less ``umask``, because a file that others may write is not trusted. ``mark``
    identifies the process (``ssd.pidfile.marks``). A temporary file is written and renamed, so
    neither a reader nor a full disk ever leads to half a pidfile. Raises PidfileUnwritable.
    """
    name = os.fsencode(path)
    if name == NULL:
        return None
    try:
        return replace(name, b"%d\n" % pid, 0o644 & ~umask, mark)
    except UntrustedLink as link:
        raise PidfileUnwritable(os.fsdecode(name), link.reason) from None
    except OSError as error:
        raise PidfileUnwritable(os.fsdecode(name), error.strerror, error.errno) from error


def replace(path: bytes, content: bytes, mode: int, mark: Mark | None = None) -> Written:
    """Write a file that is a new one or replaces a regular one. Raises OSError, UntrustedLink.

    No link is followed that another user could have made.
    """
    directory, base = walk(path, follow_last=False)
    try:
        _refuse_special(base, directory)
        _replace(base, directory, content, mode, mark)
    except BaseException:
        os.close(directory)
        raise
    return Written(directory, base)


def mark_of(process: "Process | None", table: "ProcessTable") -> Mark | None:
    """Return the mark of a process, None if it or its clock is unknown."""
    origin = table.origin
    if origin is None or process is None or process.start_time == UNKNOWN_START:
        return None
    clock = origin.clock()
    if clock is None:
        return None
    return Mark(process.pid, process.start_time, origin.boot(), clock)


def _refuse_special(base: str, directory: int) -> None:
    """Raise OSError if the pidfile's name belongs to anything but a regular file."""
    try:
        mode = os.lstat(base, dir_fd=directory).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        from ssd.pidfile.overwriting import refusal

        raise refusal(mode)


def _replace(base: str, directory: int, content: bytes, mode: int, mark: Mark | None) -> None:
    """Write a temporary file and rename it to ``base``."""
    try:
        # Shortened, because a name has at most 255 bytes.
        name = os.fsdecode(b".%s.tmp" % os.fsencode(base)[:200])
        fd, temporary = _create(name, directory)
    except PermissionError:
        # The caller may write the file, but not its directory: the file is written in place.
        if not os.access(base, os.W_OK, dir_fd=directory):
            raise
        from ssd.pidfile.overwriting import overwrite

        overwrite(base, directory, content, lambda fd: _set_mark(fd, mark))
        return
    try:
        try:
            write_all(fd, content)
            _set_mark(fd, mark)  # before the mode, which may forbid it
            _take_group(fd)
            os.fchmod(fd, mode)
        finally:
            os.close(fd)
        os.rename(temporary, base, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise


def _take_group(fd: int) -> None:
    """Give a new file our group; with its directory's (open(2)) it would not be trusted."""
    try:
        os.fchown(fd, -1, os.getgid())
    except OSError as error:
        # No permission, not mapped (user_namespaces(7)), or a file system without groups.
        if error.errno not in (errno.EPERM, errno.EINVAL):
            raise


def _create(temporary: str, directory: int) -> tuple[int, str]:
    """Create the temporary file; return its descriptor and name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # O_EXCL: follow no link
    try:
        return os.open(temporary, flags, 0o600, dir_fd=directory), temporary
    except FileExistsError:
        from ssd.pidfile.overwriting import free_name

        temporary = free_name(temporary, directory)
        return os.open(temporary, flags, 0o600, dir_fd=directory), temporary


def _set_mark(fd: int, mark: Mark | None) -> None:
    """Mark an open file that has just been written, if the file system has attributes."""
    if mark is None or not hasattr(os, "setxattr"):
        return
    text = mark.text(os.fstat(fd).st_mtime_ns)
    for name in MARK_ATTRIBUTES:
        try:
            os.setxattr(fd, name, text)
        except OSError:
            continue  # without a mark only the pid counts, as in other pidfiles
        return

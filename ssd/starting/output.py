"""Open the file of ``--output`` without blocking, and not where another user has led us."""

import errno
import os
import stat

from ssd.paths import UntrustedLink, walk
from ssd.planted import distrust

# O_NONBLOCK: a FIFO without a reader must not block (open(2), fifo(7)).
_OPEN = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK


def open_output(path: bytes, uid: int | None) -> int:
    """Open the file for output, or create it with mode 0664 less the umask. Raises OSError.

    ``uid``: the program's user, None for the caller's. A user who may write the directory, such as
    the daemon's, must not choose where root writes, so links are followed by the rules of
    ``ssd.paths``. Never blocks.
    """
    try:
        directory, base = walk(path, follow_last=True, stop=_open_files())
    except UntrustedLink as link:
        raise OSError(errno.ELOOP, link.reason) from None
    try:
        return _open_in(directory, base, uid)
    finally:
        os.close(directory)


def _open_in(directory: int, base: str, uid: int | None) -> int:
    """Open a file in a directory that ``walk`` has opened. Raises OSError."""
    facts = os.fstat(directory)
    if (facts.st_dev, facts.st_ino) == _open_files():
        return _blocking(_open(base, _OPEN, directory))
    held = _open(base, _OPEN | os.O_CREAT | os.O_NOFOLLOW, directory)
    try:
        reason = distrust(os.fstat(held), facts, uid)
        if reason:
            raise OSError(errno.EPERM, reason)
        return _blocking(_open_again(held))
    finally:
        os.close(held)


def _open_files() -> tuple[int, int] | None:
    """Return device and inode of /proc/self/fd, None without /proc.

    Its links, to which /dev/stdout leads, are opened as they are: their targets may have no path.
    """
    try:
        facts = os.stat("/proc/self/fd")
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _open_again(fd: int) -> int:
    """Open an open file again without O_NOFOLLOW, which the program would inherit (F_GETFL)."""
    try:
        return os.open(f"/proc/self/fd/{fd}", _OPEN)
    except FileNotFoundError:
        return os.dup(fd)  # no /proc; the flag does no harm


def _blocking(fd: int) -> int:
    """Return the descriptor, with O_NONBLOCK cleared."""
    os.set_blocking(fd, True)
    return fd


def _open(base: str, flags: int, directory: int) -> int:
    """Open a file in a directory. Raises OSError, which explains a FIFO without a reader."""
    try:
        return os.open(base, flags, 0o664, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(base, dir_fd=directory).st_mode):
            raise OSError(errno.ENXIO, "this FIFO has no reader; start the reader first") from error
        raise

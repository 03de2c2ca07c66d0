"""The file of ``--output``: opened without waiting, and where nobody else has chosen."""

import errno
import os
import stat

from ssd.paths import UntrustedLink, only_ours, walk

# O_NONBLOCK: a FIFO that nobody reads must not hang us (open(2), fifo(7)).
_OPEN = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK


def open_output(path: bytes, uid: int | None) -> int:
    """Open the file that a program will write to, or make it with mode 0664 under the umask.

    ``uid`` is the program's user, None for the caller's. Whoever may write its directory,
    the daemon's user above all, must not choose where root writes: links are followed by the
    rules of ``ssd.paths``. Never waits. Raises OSError.
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
    """Open a file in a directory, which may choose it. Raises OSError."""
    facts = os.fstat(directory)
    if (facts.st_dev, facts.st_ino) == _open_files():
        return _blocking(_open(base, _OPEN, directory))
    held = _open(base, _OPEN | os.O_CREAT | os.O_NOFOLLOW, directory)
    try:
        fault = distrust(os.fstat(held), facts, uid)
        if fault:
            raise OSError(errno.EPERM, fault)
        return _blocking(_open_again(held))
    finally:
        os.close(held)


def _open_files() -> tuple[int, int] | None:
    """Return what /proc/self/fd is: no path need lead to what its links lead to (/dev/stdout)."""
    try:
        facts = os.stat("/proc/self/fd")
    except FileNotFoundError:
        return None  # no /proc
    return facts.st_dev, facts.st_ino


def _open_again(fd: int) -> int:
    """Open an open file without O_NOFOLLOW, which the program could see (F_GETFL, fcntl(2))."""
    try:
        return os.open(f"/proc/self/fd/{fd}", _OPEN)
    except FileNotFoundError:
        return os.dup(fd)  # no /proc; and the flag does no harm


def _blocking(fd: int) -> int:
    """Make a descriptor what it would be if it had been opened without O_NONBLOCK."""
    os.set_blocking(fd, True)
    return fd


def _open(base: str, flags: int, directory: int) -> int:
    """Open a file in a directory. Raises OSError, with a reason for a FIFO without a reader."""
    try:
        return os.open(base, flags, 0o664, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(base, dir_fd=directory).st_mode):
            raise OSError(errno.ENXIO, "nobody reads this FIFO; start its reader first") from error
        raise


def distrust(file: os.stat_result, directory: os.stat_result, uid: int | None) -> str | None:
    """Say why an output file with these facts (fstat(2)) is not written to; None if it is.

    In a directory that others can write it has to have one name, and where everybody can, to
    be of somebody who has a part in it, as the kernel's protected_hardlinks and
    protected_regular have it (proc(5)), which may be off.
    """
    if only_ours(directory):
        return None
    if stat.S_ISREG(file.st_mode) and file.st_nlink > 1:
        return "it has a second name (hard link), and others can write its directory"
    known = {0, os.geteuid(), uid, directory.st_uid}
    if directory.st_mode & stat.S_IWOTH and file.st_uid not in known:
        return f"it belongs to user {file.st_uid}, and everybody can write its directory"
    return None

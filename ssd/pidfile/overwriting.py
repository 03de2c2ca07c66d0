"""Write a pidfile where something is in the way: another file, or the mode of its directory."""

import errno
import os
import stat

from ssd.stdio import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def overwrite(base: str, directory: int, content: bytes, written: "Callable[[int], None]") -> None:
    """Write into an existing file and cut off its old end, so that it is never empty.

    ``written``: called with the open file at the end. If writing fails the file is emptied: the
    first digits of the new pid before the last ones of the old would be the pid of another process.
    """
    fd = os.open(base, os.O_WRONLY | os.O_NOFOLLOW, dir_fd=directory)
    try:
        if os.fstat(fd).st_nlink > 1:
            raise OSError(errno.EMLINK, "it has a second name (hard link)")
        try:
            write_all(fd, content)
            os.ftruncate(fd, len(content))
        except BaseException:
            os.ftruncate(fd, 0)
            raise
        written(fd)
    finally:
        os.close(fd)


def refusal(mode: int) -> OSError:
    """Return why a file that is no regular one is not replaced."""
    if stat.S_ISLNK(mode):
        return OSError(errno.ELOOP, "it is a symbolic link")
    if stat.S_ISDIR(mode):
        return OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    return OSError(errno.EINVAL, "it is not a regular file")


def free_name(temporary: str, directory: int) -> str:
    """Return a free name for a temporary file: the same, or one more.

    The leftover of a killed start is removed, but not another user's file in a sticky directory.
    """
    try:
        os.unlink(temporary, dir_fd=directory)
        return temporary
    except (PermissionError, IsADirectoryError):
        return f"{temporary}.{os.urandom(8).hex()}"

"""Write into a pidfile that is there, where its directory takes no new file."""

import errno
import os

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

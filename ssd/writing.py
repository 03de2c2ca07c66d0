"""Write to a descriptor: all of it or an error, or what nobody may have to read."""

import errno
import os


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises OSError; a part of it may be written then.

    write(2) may take less than it is given, at a limit for the size of a file (setrlimit(2))
    or at the end of a disk. The call for the rest says why.
    """
    while data:
        taken = os.write(fd, data)
        if not taken:
            raise OSError(errno.EIO, "nothing more is taken")
        data = data[taken:]


def write(fd: int, text: str) -> None:
    """Write all of a text; a reader that has gone, or a full disk, does not stop the work.

    The originals ignore the result of printf(3) and echo too: the exit status tells, not
    the text.
    """
    try:
        write_all(fd, os.fsencode(text))
    except OSError:
        return

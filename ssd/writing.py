"""Write to a descriptor what nobody may have to read."""

import os


def write(fd: int, text: str) -> None:
    """Write all of a text; a reader that has gone, or a full disk, does not stop the work.

    The originals ignore the result of printf(3) and echo too: the exit status tells, not
    the text.
    """
    data = os.fsencode(text)
    while data:
        try:
            data = data[os.write(fd, data) :]
        except OSError:
            return

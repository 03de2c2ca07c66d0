"""Ends that are waited for: of whoever holds a descriptor, and of what a terminal shows."""

import contextlib
import os
from collections.abc import Iterator

from kit.support import until_readable


@contextlib.contextmanager
def let_go() -> Iterator[int]:
    """Give a descriptor for children to inherit; fail if one is left that has it.

    So it is known that they have ended, also of those whose pids nobody knows.
    """
    reading, writing = os.pipe()
    try:
        os.set_inheritable(writing, True)
        try:
            yield writing
        finally:
            os.close(writing)
        until_readable(reading)
        assert b"" == os.read(reading, 1)
    finally:
        os.close(reading)


def shown(terminal: int) -> bytes:
    """Return all that comes out of a terminal until nobody has its other side open any more.

    One read(2) is not enough, not even then: what was written comes in pieces.
    """
    said = b""
    with contextlib.suppress(OSError):  # EIO, at the end (pty(7))
        while chunk := os.read(terminal, 4096):
            said += chunk
    return said

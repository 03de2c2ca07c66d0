"""Wait for a condition, by the changes of files that come with it (inotify(7))."""

import ctypes
import os
import select
import time
from collections.abc import Callable
from pathlib import Path

IN_CHANGES = 0x2 | 0x8 | 0x80 | 0x100  # modify, close after writing, moved to, create: inotify(7)


def until(question: Callable[[], bool], directory: Path, seconds: float) -> bool:
    """Check again whenever a file in ``directory`` changes, until the condition holds.

    Returns False if it did not hold within ``seconds``. Raises OSError where inotify(7) fails.
    """
    deadline = time.monotonic() + seconds
    changes = _watch(directory)
    try:
        while not question():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([changes], [], [], left)[0]:
                return question()
            os.read(changes, 65536)
        return True
    finally:
        os.close(changes)


def _watch(directory: Path) -> int:
    """Return a descriptor that is readable when a file in ``directory`` has changed."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0 or libc.inotify_add_watch(descriptor, os.fsencode(directory), IN_CHANGES) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(directory))
    return descriptor

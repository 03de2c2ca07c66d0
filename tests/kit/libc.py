"""The C library: how it reads numbers, and inotify(7)."""

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from kit.children import until_readable

INT_MAX = 2**31 - 1


def strtol(text: str, base: int) -> int | None:
    """Read a number as the original does: strtol(3), all of the text, 0 to INT_MAX."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.strtol.restype = ctypes.c_long
    data = ctypes.create_string_buffer(text.encode("utf-8", "surrogateescape"))
    end = ctypes.c_void_p()
    ctypes.set_errno(0)
    value = libc.strtol(data, ctypes.byref(end), base)
    read = (end.value or 0) - ctypes.addressof(data)
    if read == 0 or read != len(data.value) or ctypes.get_errno():
        return None
    return value if 0 <= value <= INT_MAX else None


def atoi(text: str) -> int:
    """Read a number with atoi(3)."""
    number: int = ctypes.CDLL(None).atoi(text.encode("utf-8", "surrogateescape"))
    return number


class Watch:
    """An inotify(7) watch on one directory: which files in it were opened, made or moved."""

    OPEN, MOVED = 0x20, 0x80  # linux/inotify.h

    def __init__(self, directory: str | Path, mask: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        if libc.inotify_add_watch(self.fd, os.fsencode(directory), mask) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def until(self, name: str) -> None:
        """Wait for an event about the file ``name``."""
        while True:
            until_readable(self.fd)
            if name in self._names(os.read(self.fd, 65536)):
                return

    def _names(self, events: bytes) -> Iterator[str]:
        while events:
            _, _, _, length = struct.unpack_from("iIII", events)
            yield os.fsdecode(events[16 : 16 + length].rstrip(b"\0"))
            events = events[16 + length :]

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self.fd)

"""Notices of changes in directories from the kernel: inotify(7), by the C half of ctypes.

All of ctypes takes 0.7 MB, its C half 0.2 MB, which a supervisor has loaded anyway
(``ssd.supervision.cli.pid1``).
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# sys/inotify.h
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_UNMOUNT = 0x2000
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000
IN_MASK_ADD = 0x20000000
IN_ISDIR = 0x40000000

CHANGES = (
    IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
    | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
)  # fmt: skip
# Of a directory in which another one is to appear: whatever else changes there is not told.
ARRIVALS = IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD
HEAD = 16  # bytes of an event before its name
SIZE = 65536  # bytes of one read(2)


class Notice:
    """A change. ``wd``: the watch, -1 for none; ``mask``: IN_ bits; ``name``: in the directory."""

    __slots__ = ("wd", "mask", "name")

    def __init__(self, wd: int, mask: int, name: str) -> None:
        self.wd = wd
        self.mask = mask
        self.name = name


class Inotify:
    """One instance of inotify. Raises OSError if none is to be had."""

    __slots__ = ("fd", "_add", "_remove", "_call")

    def __init__(self) -> None:
        try:
            import _ctypes

            library = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
            start = _ctypes.dlsym(library, "inotify_init1")
            self._add: int = _ctypes.dlsym(library, "inotify_add_watch")
            self._remove: int = _ctypes.dlsym(library, "inotify_rm_watch")
            self._call = _ctypes.call_function
        except (ImportError, AttributeError, OSError) as error:  # not CPython, or not Linux
            raise OSError(0, "this system has no inotify") from error
        # inotify_init1(2): IN_NONBLOCK and IN_CLOEXEC are the bits of open(2).
        self.fd: int = self._call(start, (os.O_NONBLOCK | os.O_CLOEXEC,))
        if self.fd < 0:
            raise OSError(0, "no inotify instance is left")

    def add(self, path: str, mask: int = CHANGES) -> "int | None":
        """Watch a directory; return the number of its watch, None if that cannot be.

        A directory has one watch, whatever path leads to it.
        """
        wd: int = self._call(self._add, (self.fd, os.fsencode(path), mask))
        return None if wd < 0 else wd

    def remove(self, wd: int) -> None:
        """Watch a directory no more; nothing happens if it is gone."""
        self._call(self._remove, (self.fd, wd))

    def take(self) -> "Iterator[Notice]":
        """Yield what has changed since the last call; never waits."""
        while True:
            try:
                read = os.read(self.fd, SIZE)
            except BlockingIOError:
                return
            yield from notices(read)

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self.fd)


def notices(read: bytes) -> "Iterator[Notice]":
    """Yield the events that one read(2) has returned."""
    at = 0
    while at < len(read):
        wd = int.from_bytes(read[at : at + 4], sys.byteorder, signed=True)
        mask, _, length = (
            int.from_bytes(read[begin : begin + 4], sys.byteorder)
            for begin in range(at + 4, at + HEAD, 4)
        )
        at += HEAD + length
        name = read[at - length : at].rstrip(b"\0")
        yield Notice(wd, mask, os.fsdecode(name))

"""Read a log: its last lines, and what is added to it, over rotations too.

A log may be in a directory that the service's user can write. So it is opened as for writing: a
link that was planted there is refused, or root would show another user's file.
"""

import os

from ssd.logs.files import locate, open_in
from ssd.logs.rotation import BLOCK

MOST = 1 << 20  # bytes that are read for last lines


def last_lines(path: str, count: int, uid: "int | None" = None) -> list[str]:
    r"""Return the last lines of a log, and of its rotated files as far as needed.

    At most a megabyte is read. A byte that is no UTF-8 becomes \xNN. No file: no lines. Raises
    OSError.
    """
    text = b""
    number = 0
    try:
        directory, base = locate(path)
    except FileNotFoundError:
        return []
    try:
        while text.count(b"\n") <= count and len(text) < MOST:
            name = f"{base}.{number}" if number else base
            try:
                fd = open_in(directory, name, False, uid)
            except FileNotFoundError:
                break
            with os.fdopen(fd, "rb", 0) as file:
                text = _end_of(file.fileno(), count + 1 - text.count(b"\n")) + text
            number += 1
    finally:
        os.close(directory)
    lines = text.decode("utf-8", "backslashreplace").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines[-count:] if count else []


def _end_of(fd: int, newlines: int) -> bytes:
    """Return the end of a file that has so many newlines, or all of it, or a megabyte."""
    place = os.fstat(fd).st_size
    stop = max(0, place - MOST)
    parts: list[bytes] = []
    while place > stop and newlines > 0:
        begin = max(stop, place - BLOCK)
        part = os.pread(fd, place - begin, begin)
        newlines -= part.count(b"\n")
        parts.insert(0, part)
        place = begin
    return b"".join(parts)


class Tail:
    """What is added to a log from now on, file after file."""

    __slots__ = ("_path", "_uid", "_fd", "_place")

    def __init__(self, path: str, uid: "int | None" = None) -> None:
        """Stand at the end of the log, which need not exist yet. Raises OSError."""
        self._path = path
        self._uid = uid
        self._fd = -1
        self._place = 0
        if self._open():
            self._place = os.fstat(self._fd).st_size

    def _open(self) -> bool:
        """Open the log, or the file that came after the one that is open; tell whether there is."""
        try:
            directory, base = locate(self._path)
        except FileNotFoundError:
            return False
        try:
            name = base if self._fd < 0 else _after(self._fd, directory, base)
            found = -1 if name is None else open_in(directory, name, False, self._uid)
        except FileNotFoundError:
            return False
        finally:
            os.close(directory)
        if found >= 0:
            self.close()
            self._fd = found
        return found >= 0

    def read(self, most: int = BLOCK) -> bytes:
        """Return what was added, b"" if nothing was. Raises OSError."""
        if self._fd < 0 and not self._open():
            return b""
        text = os.pread(self._fd, most, self._place)
        while not text and self._moved_on():
            text = os.pread(self._fd, most, self._place)
        self._place += len(text)
        return text

    def _moved_on(self) -> bool:
        """Go on in the next file if there is one, or in the same that was shortened."""
        size = os.fstat(self._fd).st_size
        if self._open():
            # A rotation has moved the begun line, which we may have read in the old file.
            self._place = max(0, self._place - size)
            return True
        if size < self._place:
            self._place = 0  # somebody has emptied it
        return size > self._place

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _after(fd: int, directory: int, base: str) -> str | None:
    """Return the name of the file that was begun after an open one; None if that is the log.

    If it was removed, or moved elsewhere, it is the log.
    """
    ours = os.fstat(fd)
    newer, name, number = None, base, 0
    while True:
        try:
            there = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return base
        if os.path.samestat(ours, there):
            return newer
        newer, number = name, number + 1
        name = f"{base}.{number}"

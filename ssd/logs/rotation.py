"""Rotate a file at a line end: NAME.log becomes NAME.log.1, that becomes NAME.log.2, and so on.

A death at any moment loses nothing and doubles nothing. The begun line that must go along to the
new file is written to NAME.log.next first. From then on the directory says how far the rotation
came: with NAME.log it had not begun, without it ``recover`` ends it.

All names are relative to a descriptor of their directory (``ssd.paths.walk``), so that no renamed
directory and no link leads elsewhere.
"""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NEXT = ".next"
BLOCK = 65536  # bytes read at once
LONGEST = 1 << 20  # bytes of a line that stay together, if a file may be that large
_FRESH = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KNOWN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def line_end(fd: int, size: int) -> int:
    """Return the offset after the last newline, 0 if the last megabyte has none."""
    stop = max(0, size - LONGEST)
    end = size
    while end > stop:
        begin = max(stop, end - BLOCK)
        found = os.pread(fd, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def rotate(
    directory: int, base: str, fd: int, cut: int, keep: int,
    made: "Callable[[int], None]" = lambda fresh: None,
) -> int:  # fmt: skip
    """Begin a new file with what is after ``cut``; return its descriptor. Raises OSError.

    ``fd``: the file as it is, which is left as a whole if this raises. ``keep``: how many old
    ones to keep; with 0 it is removed. ``made``: called with the new file before it is renamed.
    """
    facts = os.fstat(fd)
    fresh = _make_next(directory, base + NEXT, fd, cut, facts)
    try:
        made(fresh)
        if keep:
            _shift(directory, base, keep)
            _rename(directory, base, f"{base}.1")
        else:
            os.unlink(base, dir_fd=directory)
    except BaseException:
        os.close(fresh)
        os.unlink(base + NEXT, dir_fd=directory)
        raise
    os.ftruncate(fd, cut)
    _rename(directory, base + NEXT, base)
    _remove_beyond(directory, base, keep)
    return fresh


def recover(directory: int, base: str, keep: int) -> None:
    """End a rotation that a death has interrupted. Raises OSError."""
    try:
        fresh = os.open(base + NEXT, _KNOWN, dir_fd=directory)
    except FileNotFoundError:
        return
    try:
        if exists(directory, base):
            os.unlink(base + NEXT, dir_fd=directory)  # it may be only half written
            return
        if keep and (rest := _read(fresh, 0, os.fstat(fresh).st_size)):
            _cut_off(directory, f"{base}.1", rest)
        _rename(directory, base + NEXT, base)
    finally:
        os.close(fresh)


def _cut_off(directory: int, name: str, rest: bytes) -> None:
    """Shorten a file by the begun line that it ends in. One that ends in a newline has been."""
    try:
        fd = os.open(name, _KNOWN, dir_fd=directory)
    except FileNotFoundError:
        return
    try:
        facts = os.fstat(fd)
        cut = facts.st_size - len(rest)
        if stat.S_ISREG(facts.st_mode) and cut >= 0 and _read(fd, cut, len(rest)) == rest:
            os.ftruncate(fd, cut)
    finally:
        os.close(fd)


def _make_next(directory: int, name: str, fd: int, cut: int, facts: os.stat_result) -> int:
    """Make the new file, with the mode and the owner of the old one and the rest of it."""
    _remove(directory, name)
    fresh = os.open(name, _FRESH, 0o600, dir_fd=directory)
    try:
        _own_alike(fresh, facts)
        rest = memoryview(_read(fd, cut, facts.st_size - cut))
        while rest:
            rest = rest[os.write(fresh, rest) :]
    except BaseException:
        os.close(fresh)
        os.unlink(name, dir_fd=directory)
        raise
    return fresh


def _own_alike(fresh: int, facts: os.stat_result) -> None:
    """Give a file the owner, the group and the mode that ``facts`` have."""
    own = os.fstat(fresh)
    if (own.st_uid, own.st_gid) != (facts.st_uid, facts.st_gid):
        try:
            os.fchown(fresh, facts.st_uid, facts.st_gid)
        except PermissionError:
            return  # not root: another group must not get what it could not read
    os.fchmod(fresh, stat.S_IMODE(facts.st_mode) & 0o666)


def _shift(directory: int, base: str, keep: int) -> None:
    """Free NAME.log.1: each old file up to the first gap moves on by one, the last one first.

    A gap is what an interrupted shift leaves.
    """
    gap = 1
    while gap < keep and exists(directory, f"{base}.{gap}"):
        gap += 1
    for number in range(gap, 1, -1):
        _rename(directory, f"{base}.{number - 1}", f"{base}.{number}")


def _remove_beyond(directory: int, base: str, keep: int) -> None:
    """Remove old files whose number is above ``keep``, which has been larger."""
    while _remove(directory, f"{base}.{keep + 1}"):
        keep += 1


def _remove(directory: int, name: str) -> bool:
    """Remove a file; tell whether there was one."""
    try:
        os.unlink(name, dir_fd=directory)
    except (FileNotFoundError, IsADirectoryError):
        return False
    return True


def _rename(directory: int, old: str, new: str) -> None:
    os.rename(old, new, src_dir_fd=directory, dst_dir_fd=directory)


def exists(directory: int, name: str) -> bool:
    """Tell whether a directory has an entry of this name."""
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _read(fd: int, offset: int, count: int) -> bytes:
    """Read so many bytes, fewer only at the end of the file."""
    parts = []
    while count > 0 and (part := os.pread(fd, count, offset)):
        parts.append(part)
        offset += len(part)
        count -= len(part)
    return b"".join(parts)

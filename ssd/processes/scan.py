"""Which of ten thousand entries in /proc are worth a closer look.

Each function keeps the entries for which one fact may hold, in the fewest system calls
that tell, and no sooner than they are wanted: who needs one match pays for no more.
``LinuxTable`` looks again at those that are left, all facts at once.
"""

import os

from ssd.errors import ProcessTableError
from ssd.processes.linux import UNKNOWN, marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssd.matching import Criteria

READINGS = 6  # of a list of children, before giving up that it comes to rest


def sift(
    root: bytes, entries: "Callable[[], list[bytes]]", criteria: "Criteria"
) -> "Iterator[bytes]":
    """Yield, ascending, the entries that may meet the criteria. Raises ProcessTableError.

    Each question is asked of those that passed the one before, cheapest first: 2, 5 and 7
    microseconds a process. ``entries`` lists all; it is called only if need be. The
    kernel lists /proc ascending (next_tgid in fs/proc/base.c).
    """
    try:
        yield from _sift(root, entries, criteria)
    except OSError as error:  # no descriptor is left to look with, or no memory
        reason = f"unable to read {os.fsdecode(root)}: {error.strerror}"
        raise ProcessTableError(reason) from error


def command_line(root: bytes, pid: int) -> list[bytes]:
    """Return the words of a process's command line; none of a kernel thread or one gone.

    Raises ProcessTableError.
    """
    try:
        with open(root + b"/%d/cmdline" % pid, "rb", buffering=0) as file:
            return file.read().split(b"\0")[:-1]
    except UNKNOWN:
        return []
    except OSError as error:  # no descriptor is left to look with, or no memory
        reason = f"unable to read {os.fsdecode(root)}: {error.strerror}"
        raise ProcessTableError(reason) from error


def _sift(
    root: bytes, entries: "Callable[[], list[bytes]]", criteria: "Criteria"
) -> "Iterator[bytes]":
    """Yield what ``sift`` does."""
    kept: Iterable[bytes]
    if criteria.ppid is None:
        kept = entries()
    else:
        kept = sorted(_born_of(criteria.ppid, root, entries), key=int)
    where = os.open(root, os.O_PATH | os.O_DIRECTORY)  # paths from there are shorter to walk
    try:
        if criteria.uid is not None:
            kept = _owned_by(criteria.uid, kept, where)
        if criteria.file is not None:
            kept = _running(criteria.file, kept, where)
        if criteria.name is not None:
            kept = _named(criteria.name, kept, where)
        yield from kept
    finally:
        os.close(where)


def _owned_by(uid: int, entries: "Iterable[bytes]", where: int) -> "Iterator[bytes]":
    """Keep what belongs to a user: that is whose effective uid it has."""
    stat, st_uid = os.stat, 4  # by index: attributes of a stat_result are slower
    for entry in entries:
        try:
            owner = stat(entry, dir_fd=where)[st_uid]
        except UNKNOWN:
            continue
        if owner == uid:
            yield entry


def _running(file: tuple[int, int], entries: "Iterable[bytes]", where: int) -> "Iterator[bytes]":
    """Keep what runs an executable, given by device and inode, and what did once.

    A mark in the link tells of a file that was removed or replaced. To read each link would
    take longer than all the rest: what has a single name, and was found to run by that, is
    not asked again.
    """
    stat = os.stat
    device, inode = file
    others: set[tuple[int, ...]] = set()
    for entry in entries:
        exe = entry + b"/exe"
        try:
            facts = stat(exe, dir_fd=where)[1:4]  # inode, device and number of names
        except UNKNOWN:  # a kernel thread has none (ENOENT)
            continue
        except OSError:  # its file system does not answer: a closer look
            yield entry
            continue
        if facts in others:
            continue
        try:
            if facts[:2] == (inode, device) or marked(exe, where):
                yield entry
            elif facts[2] == 1:
                others.add(facts)
        except UNKNOWN:
            continue


def _named(name: bytes, entries: "Iterable[bytes]", where: int) -> "Iterator[bytes]":
    """Keep what has the comm ``name``."""
    line = name + b"\n"
    more = len(line) + 1  # enough to tell
    open_, read, close, read_only = os.open, os.read, os.close, os.O_RDONLY
    for entry in entries:
        try:
            fd = open_(entry + b"/comm", read_only, dir_fd=where)
        except UNKNOWN:
            continue
        try:
            comm = read(fd, more)
        except UNKNOWN:
            continue
        finally:
            close(fd)
        if comm == line:
            yield entry


def _born_of(ppid: int, root: bytes, entries: "Callable[[], list[bytes]]") -> list[bytes]:
    """Return the children of a process, and maybe more where the kernel has no list.

    The kernel may leave a child out if one listed before it is reaped during the reading
    (proc(5), "task/tid/children"). A list that reads the same twice is whole: the reaped
    one would be missing from the second.
    """
    if ppid <= 0:  # 0: born outside this PID namespace
        return entries()
    try:
        os.kill(ppid, 0)
    except PermissionError:
        pass  # it is there
    except (ProcessLookupError, OverflowError):
        return []
    before = None
    for _ in range(READINGS):
        try:
            now = _children_of(root + b"/%d/task/" % ppid)
        except UNKNOWN:  # one of its threads ended, it is hidden, or the kernel has no list
            continue
        if now == before:
            return list(now)
        before = now
    from ssd.processes.parents import born_of  # the slow way

    return born_of(ppid, entries())


def _children_of(tasks: bytes) -> set[bytes]:
    """Read the list of children once; each thread has its own. Raises UNKNOWN."""
    found: set[bytes] = set()
    for task in os.listdir(tasks):
        with open(tasks + task + b"/children", "rb") as file:
            found.update(file.read().split())
    return found

"""Search all of /proc: which of ten thousand entries may meet the criteria.

Each filter keeps the entries for which one fact may hold, in as few system calls as possible,
and lazily: a caller that needs one match reads no more. ``LinuxTable`` reads the remaining
entries again, all facts at once. Here are also the parts that only such searches need: the parent
of each process, and executables that were replaced.
"""

import os
import sys

from ssd.errors import VANISHED, ProcessTableError
from ssd.paths import UntrustedLink, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssd.matching import Criteria

    Marked = Callable[[bytes, int], bool]

CROWD = 3000  # processes, of which a helper looks at half
MAX_READINGS = 6  # of a list of children that changes each time
# _IOWR(0xFF, 11, struct pidfd_info): direction, size, type, number (asm-generic/ioctl.h)
PIDFD_GET_INFO = (3 << 30) | (64 << 16) | (0xFF << 8) | 11
PPID = slice(24, 28)  # after two words of 64 bits, pid and tgid; in the caller's PID namespace
NOTHING_ASKED = bytes(64)  # a mask of 0: the ids come unasked
NS_GET_OWNER_UID = 0xB704  # _IO(0xb7, 4): ioctl_ns(2), linux/nsfs.h


def sift(
    root: bytes,
    entries: "Callable[[], list[bytes]]",
    criteria: "Criteria",
    marked: "Marked",
    mark: bytes,
    may_fork: bool,
) -> "Iterator[bytes]":
    """Yield, ascending, the entries that may meet the criteria. Raises ProcessTableError.

    Each filter sees what passed the one before, cheapest first: 2, 5 and 7 microseconds a
    process. ``entries`` lists all of /proc, which the kernel does ascending (next_tgid in
    fs/proc/base.c); it is called only if needed. ``marked`` is ``linux.marked``,
    and ``mark`` what it looks for. ``may_fork``: of thousands of entries a helper looks at half.
    """
    try:
        yield from _sift(root, entries, criteria, marked, mark, may_fork)
    except OSError as error:  # no descriptor is left to look with, or no memory
        reason = f"unable to read {os.fsdecode(root)}: {error.strerror}"
        raise ProcessTableError(reason) from error


def command_line(root: bytes, pid: int) -> list[bytes]:
    """Return the words of a command line; none of a kernel thread or a process that has ended.

    Raises ProcessTableError.
    """
    try:
        with open(root + b"/%d/cmdline" % pid, "rb", buffering=0) as file:
            return file.read().split(b"\0")[:-1]
    except VANISHED:
        return []
    except OSError as error:  # no descriptor is left to look with, or no memory
        reason = f"unable to read {os.fsdecode(root)}: {error.strerror}"
        raise ProcessTableError(reason) from error


def _sift(
    root: bytes,
    entries: "Callable[[], list[bytes]]",
    criteria: "Criteria",
    marked: "Marked",
    mark: bytes,
    may_fork: bool,
) -> "Iterator[bytes]":
    """Yield what ``sift`` does."""
    born = None
    if criteria.ppid is not None:
        born = sorted(_born_of(criteria.ppid, root, entries), key=int)
    where = os.open(root, os.O_PATH | os.O_DIRECTORY)  # relative paths are shorter to walk
    others: set[tuple[int, ...]] = set()

    def keep(kept: "Iterable[bytes]") -> "Iterable[bytes]":
        if criteria.uid is not None:
            kept = _owned_by(criteria.uid, kept, where)
        if criteria.more is not None and criteria.more.interpreted:
            from ssd.processes.kernel_facts import sifted

            return sifted(criteria, kept, where, mark)
        if criteria.file is not None:
            kept = _running(criteria.file, kept, where, marked, others)
        return kept if criteria.name is None else _named(criteria.name, kept, where)

    try:
        # The number of links is that of the processes (proc_root_getattr in fs/proc/root.c).
        if born is None and may_fork and os.stat(root).st_nlink > CROWD:
            from ssd.processes.sharing import shared

            yield from shared(root, keep)
        else:
            yield from keep(entries() if born is None else born)
    finally:
        os.close(where)


def _owned_by(uid: int, entries: "Iterable[bytes]", where: int) -> "Iterator[bytes]":
    """Keep the processes with a user's effective uid."""
    stat, st_uid = os.stat, 4  # an index is faster than the attribute
    for entry in entries:
        try:
            owner = stat(entry, dir_fd=where)[st_uid]
        except VANISHED:
            continue
        if owner == uid:
            yield entry


def _running(
    file: tuple[int, int],
    entries: "Iterable[bytes]",
    where: int,
    marked: "Marked",
    others: set[tuple[int, ...]],
) -> "Iterator[bytes]":
    """Keep the processes that run an executable, given by device and inode, or may have run it.

    A mark in the link says that the file was deleted or replaced. To read every link would take
    longer than all else. So a file with a single name, once found without a mark, is added to
    ``others``, and not read again for other processes.
    """
    stat = os.stat
    device, inode = file
    for entry in entries:
        exe = entry + b"/exe"
        try:
            facts = stat(exe, dir_fd=where)[1:4]  # inode, device and number of names
        except VANISHED:  # a kernel thread has none (ENOENT)
            continue
        except OSError:  # its file system does not answer: LinuxTable looks closer
            yield entry
            continue
        if facts in others:
            continue
        try:
            if facts[:2] == (inode, device) or marked(exe, where):
                yield entry
            elif facts[2] == 1:
                others.add(facts)
        except VANISHED:
            continue


def _named(name: bytes, entries: "Iterable[bytes]", where: int) -> "Iterator[bytes]":
    """Keep the processes with the comm ``name``."""
    line = name + b"\n"
    size = len(line) + 1  # one byte more shows a longer name
    open_, read, close, read_only = os.open, os.read, os.close, os.O_RDONLY
    for entry in entries:
        try:
            fd = open_(entry + b"/comm", read_only, dir_fd=where)
        except VANISHED:
            continue
        try:
            comm = read(fd, size)
        except VANISHED:
            continue
        finally:
            close(fd)
        if comm == line:
            yield entry


def _born_of(ppid: int, root: bytes, entries: "Callable[[], list[bytes]]") -> list[bytes]:
    """Return the children of a process, and maybe more where the kernel has no list.

    The kernel may omit a child if one listed before it is reaped during the reading
    (proc(5), "task/tid/children"). A list that reads the same twice is complete: the reaped
    child would be missing from the second.
    """
    if ppid <= 0:  # 0: born outside this PID namespace
        return entries()
    try:
        os.kill(ppid, 0)
    except PermissionError:
        pass  # it exists
    except (ProcessLookupError, OverflowError):
        return []
    before = None
    for _ in range(MAX_READINGS):
        try:
            now = _children_of(root + b"/%d/task/" % ppid)
        except VANISHED:  # one of its threads ended, it is hidden, or the kernel has no list
            continue
        if now == before:
            return list(now)
        before = now
    return born_of(ppid, entries())


def _children_of(tasks: bytes) -> set[bytes]:
    """Read the list of children once; each thread has its own. Raises VANISHED."""
    found: set[bytes] = set()
    for task in os.listdir(tasks):
        with open(tasks + task + b"/children", "rb") as file:
            found.update(file.read().split())
    return found


def born_of(ppid: int, entries: list[bytes]) -> list[bytes]:
    """Keep the entries whose parent is ``ppid`` or unknown.

    This is for a kernel without CONFIG_PROC_CHILDREN, and a parent that hidepid hides. Since
    Linux 6.13 ``ioctl(PIDFD_GET_INFO)`` takes half as long as to read /proc/PID/stat. It fills a
    ``struct pidfd_info`` (linux/pidfd.h) of 64 bytes; newer kernels accept this size too.
    """
    from fcntl import ioctl

    if not hasattr(os, "pidfd_open") or _parent(os.getpid(), ioctl) is None:
        return entries
    wanted = ppid.to_bytes(4, sys.byteorder)
    return [entry for entry in entries if _parent(int(entry), ioctl) in (wanted, None)]


def _parent(pid: int, ioctl: "Callable[[int, int, bytes], bytes]") -> bytes | None:
    """Return the parent's pid as the kernel writes it; None if it cannot be had."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:  # ended, or the call is missing (ENOSYS) or not allowed (EPERM)
        return None
    try:
        return ioctl(fd, PIDFD_GET_INFO, NOTHING_ASKED)[PPID]
    except OSError:  # an older kernel (ENOTTY), or ended (ESRCH)
        return None
    finally:
        os.close(fd)


def runs_by_name(where: int, file: tuple[int, int], mark: bytes) -> bool:
    """Say whether a file now has the name that a process's executable once had.

    So the executable of an upgraded package finds the old daemon, as in the original. But only if
    no user except root and the caller can have chosen the file behind the name, by mounts or by
    a link. ``where`` is a directory of /proc, ``mark`` the kernel's mark of a deleted file.
    """
    try:
        link = os.readlink(b"exe", dir_fd=where)
    except OSError:  # it has ended
        return False
    return _named_as_here(where) and file_now(link, mark) == file


def file_now(link: bytes, mark: bytes) -> tuple[int, int] | None:
    """Return device and inode of the file that an exe link names, None if there is none."""
    name = link[len(mark) :] if link.startswith(mark) else link.removesuffix(mark)
    try:
        directory, base = walk(name, follow_last=True)
    except (OSError, UntrustedLink):
        return None
    try:
        facts = os.lstat(base, dir_fd=directory)
    except OSError:  # no file has that name any more
        return None
    finally:
        os.close(directory)
    return facts.st_dev, facts.st_ino


def _named_as_here(where: int) -> bool:
    """Say whether only root or we can have mounted in the mount namespace of a process.

    Only the owner of its user namespace can (user_namespaces(7)). That namespace must be ours,
    or belong to root (as with systemd's PrivateUsers=) or to the caller.
    """
    import fcntl

    try:
        theirs = os.open(b"ns/user", os.O_RDONLY, dir_fd=where)
    except FileNotFoundError:  # a kernel without user namespaces
        return True
    try:
        if os.path.samestat(os.fstat(theirs), os.stat("/proc/self/ns/user")):
            return True
        owner = fcntl.ioctl(theirs, NS_GET_OWNER_UID, bytes(4))
        return int.from_bytes(owner, sys.byteorder) in (0, os.geteuid())
    except OSError:  # before Linux 4.11 there is no such call
        return False
    finally:
        os.close(theirs)

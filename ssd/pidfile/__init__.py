"""A pidfile: read with suspicion, and removed with care. ``ssd.pidfile.writing`` writes it.

The rules are those of ``--pidfile`` in start-stop-daemon(8) made stricter where the
original can be led to a process of somebody else's choice (docs/reference/divergences.md, rows 1,
2, 3, 5 and 10).
"""

import errno
import os
import stat

from ssd.errors import PidfileUnreadable, PidfileUnsafe, PidfileUnwritable
from ssd.paths import UntrustedLink, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.pidfile.marks import Mark
    from ssd.processes.contract import ProcessTable

MAX_FILE_SIZE = 4096  # bytes; PostgreSQL's postmaster.pid, the longest known, has about 100
MAX_PID = 2**31 - 1
# The attributes that may hold the mark (``ssd.pidfile.marks``). Everybody who reads the file may
# read the first. Root has the second where there is no such thing: on a tmpfs, as /run, before
# Linux 6.6.
MARK_ATTRIBUTES = ("user.ssd.process", "trusted.ssd.process")
NULL = b"/dev/null"  # "use no pidfile": exempt from every check, as in the original

# O_NONBLOCK: a FIFO in the pidfile's place must not hang us (open(2), fifo(7)).
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW


def parse(content: bytes) -> int | None:
    """Return the pid that a pidfile's content gives, or None if it gives none.

    The first word must be a whole positive decimal number; what follows does not count.
    """
    words = content.split(None, 1)
    if not words or not words[0].isdigit() or len(words[0]) > 20:
        return None
    pid = int(words[0])
    return pid if 0 < pid <= MAX_PID else None


class Entry:
    """What a pidfile says: its content, the pid in it, and the mark beside it, if it has one."""

    __slots__ = ("content", "pid", "_mark")

    def __init__(self, content: bytes, mark: "Mark | None" = None) -> None:
        self.content = content
        self.pid = parse(content)
        self._mark = mark if mark is not None and mark.pid == self.pid else None

    @property
    def started(self) -> int | None:
        """Return the start time in the second line, which a PIDLockFile wrote before 0.2."""
        words = self.content.split()
        return int(words[1]) if len(words) == 2 and words[1].isdigit() else None

    def means(self, process: "Process", table: "ProcessTable") -> bool:
        """Tell whether a process that has the pid may be the one that the file is of."""
        return self._mark is None or not self._mark.denies(process, table)


def read(path: str | bytes, alone: bool = True) -> int | None:
    """Return the pid in a pidfile, or None if the file holds no pid; see ``load``."""
    found = load(os.fsencode(path), alone)
    return None if found is None else found.pid


def load(name: bytes, alone: bool) -> Entry | None:
    """Return what a pidfile says that may be believed; None for what is no small file.

    ``alone`` says that the pidfile is the only criterion, which is believed only if the
    file belongs to root or to the caller. Raises FileNotFoundError if there is no such
    file, PidfileUnreadable, and PidfileUnsafe if others could have chosen its content.
    """
    if name == NULL:
        return None
    try:
        fd = _open(name)
    except FileNotFoundError:
        raise
    except UntrustedLink as link:
        raise PidfileUnsafe(os.fsdecode(name), link.reason) from None
    except OSError as error:
        raise PidfileUnreadable(os.fsdecode(name), error.strerror, error.errno) from error
    try:
        facts = os.fstat(fd)
        fault = distrust(facts, alone)
        if fault:
            raise PidfileUnsafe(os.fsdecode(name), fault)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_SIZE:
            return None
        return Entry(os.read(fd, MAX_FILE_SIZE), _mark(fd, facts.st_mtime_ns))
    finally:
        os.close(fd)


def _mark(fd: int, written: int) -> "Mark | None":
    """Return the mark of an open file; None if it has none, or was written since.

    ``written`` is when it was last modified (st_mtime_ns).
    """
    if not hasattr(os, "getxattr"):  # not Linux
        return None
    for name in MARK_ATTRIBUTES:
        try:
            text = os.getxattr(fd, name)
        except OSError:
            continue  # no such attribute, no attributes at all, or not for us to read
        from ssd.pidfile.marks import parse

        return parse(text, written)
    return None


def distrust(facts: os.stat_result, alone: bool) -> str | None:
    """Say why a pidfile with these facts (fstat(2)) is not believed; None if it is."""
    if facts.st_mode & stat.S_IWOTH:
        return "it is world-writable"
    foreign_group = facts.st_gid not in (0, os.getgid())
    if facts.st_mode & stat.S_IWGRP and foreign_group:
        return f"group {facts.st_gid} can write it"
    if alone and (foreign_group or facts.st_uid not in (0, os.getuid())):
        return (
            f"it is the only criterion and belongs to {facts.st_uid}:{facts.st_gid}, "
            "not to root or the caller"
        )
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1:
        return "it has a second name (hard link)"
    return None


def remove(path: str | bytes) -> bool:
    """Remove a pidfile, or a link to one; a missing one is no error.

    Returns False, and removes nothing, for what is no regular file, /dev/null above all.
    Whether it still names a living process is for the caller to look at first. Raises
    PidfileUnwritable.
    """
    name = os.fsencode(path)
    try:
        directory, base = walk(name, follow_last=False)
        try:
            if not stat.S_ISREG(os.stat(base, dir_fd=directory).st_mode):
                return False
            os.unlink(base, dir_fd=directory)
            return True
        finally:
            os.close(directory)
    except FileNotFoundError:
        return True
    except UntrustedLink as link:
        raise PidfileUnwritable(os.fsdecode(name), link.reason) from None
    except OSError as error:
        raise PidfileUnwritable(os.fsdecode(name), error.strerror, error.errno) from error


def _open(name: bytes) -> int:
    """Open a pidfile for reading; follow links by the rules of ``ssd.paths``."""
    try:
        fd = os.open(name, _READ)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):  # EMLINK: FreeBSD's word for it
            raise
    else:
        if _is_literal(name, fd):
            return fd
        os.close(fd)
    directory, base = walk(name, follow_last=True)
    try:
        return os.open(base, _READ, dir_fd=directory)
    finally:
        os.close(directory)


def _is_literal(name: bytes, fd: int) -> bool:
    """Tell whether a descriptor was reached by its very path, so through no link at all."""
    try:
        return name.startswith(b"/") and os.readlink(b"/proc/self/fd/%d" % fd) == name
    except OSError:
        return False  # no /proc, or hidden: the walk answers instead

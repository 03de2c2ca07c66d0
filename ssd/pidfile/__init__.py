"""Read and remove a pidfile. ``ssd.pidfile.writing`` writes it.

The rules of ``--pidfile`` in start-stop-daemon(8) are stricter here where another user could choose
the process that the original acts on (docs/reference/divergences.md, rows 1, 2, 3, 5 and 10).
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

MAX_FILE_SIZE = 4096  # bytes; the longest known, PostgreSQL's postmaster.pid, has about 100
MAX_PID = 2**31 - 1
# The attributes that may hold the mark (``ssd.pidfile.marks``). Every reader of the file may read
# the first. Only root may use the second, where the first does not exist: on a tmpfs, such as /run,
# before Linux 6.6.
MARK_ATTRIBUTES = ("user.ssd.process", "trusted.ssd.process")
NULL = b"/dev/null"  # means "no pidfile": exempt from every check, as in the original

# O_NONBLOCK: a FIFO instead of a pidfile must not block (open(2), fifo(7)).
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW


def parse(content: bytes) -> int | None:
    """Return the pid in the content of a pidfile, None without a valid one.

    The first word must be a positive decimal number; the rest is ignored.
    """
    words = content.split(None, 1)
    if not words or not words[0].isdigit() or len(words[0]) > 20:
        return None
    pid = int(words[0])
    return pid if 0 < pid <= MAX_PID else None


class Entry:
    """What was read from a pidfile: its content, the pid in it, and its mark if it has one."""

    __slots__ = ("content", "pid", "_mark")

    def __init__(self, content: bytes, mark: "Mark | None" = None) -> None:
        self.content = content
        self.pid = parse(content)
        self._mark = mark if mark is not None and mark.pid == self.pid else None

    @property
    def started(self) -> int | None:
        """Return the start time in the second line, as PIDLockFile wrote it before 0.2."""
        words = self.content.split()
        return int(words[1]) if len(words) == 2 and words[1].isdigit() else None

    def means(self, process: "Process", table: "ProcessTable") -> bool:
        """Return whether the file may mean ``process``, which has the pid in it."""
        return self._mark is None or not self._mark.excludes(process, table)


def read(path: str | bytes, sole_criterion: bool = True) -> int | None:
    """Return the pid in a pidfile, None without a valid one. Raises as ``load`` does."""
    found = load(os.fsencode(path), sole_criterion)
    return None if found is None else found.pid


def load(name: bytes, sole_criterion: bool) -> Entry | None:
    """Read a pidfile; return None if it is not a regular file or is too large.

    ``sole_criterion``: whether the pidfile is the only criterion; then it must belong to root or
    the caller. Raises FileNotFoundError, PidfileUnreadable, and PidfileUnsafe if other users could
    have chosen its content.
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
        reason = distrust(facts, sole_criterion)
        if reason:
            raise PidfileUnsafe(os.fsdecode(name), reason)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_FILE_SIZE:
            return None
        return Entry(os.read(fd, MAX_FILE_SIZE), _mark(fd, facts.st_mtime_ns))
    finally:
        os.close(fd)


def _mark(fd: int, written: int) -> "Mark | None":
    """Return the mark of an open file, None without a valid one. ``written``: its st_mtime_ns."""
    if not hasattr(os, "getxattr"):  # not Linux
        return None
    for name in MARK_ATTRIBUTES:
        try:
            text = os.getxattr(fd, name)
        except OSError:
            continue  # no such attribute, no attributes at all, or no permission
        from ssd.pidfile.marks import parse

        return parse(text, written)
    return None


def distrust(facts: os.stat_result, sole_criterion: bool) -> str | None:
    """Return why a pidfile is not trusted, None if it is. ``facts``: of fstat(2)."""
    if facts.st_mode & stat.S_IWOTH:
        return "it is world-writable"
    foreign_group = facts.st_gid not in (0, os.getgid())
    if facts.st_mode & stat.S_IWGRP and foreign_group:
        return f"group {facts.st_gid} can write it"
    if sole_criterion and (foreign_group or facts.st_uid not in (0, os.getuid())):
        return (
            f"it is the only criterion and belongs to {facts.st_uid}:{facts.st_gid}, "
            "not to root or the caller"
        )
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink > 1:
        return "it has a second name (hard link)"
    return None


def remove(path: str | bytes) -> bool:
    """Remove a pidfile or a link to one; it may be missing. Raises PidfileUnwritable.

    Removes only a regular file, and returns False for anything else, such as /dev/null. The caller
    must check first that no living process needs the file.
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
    """Open a pidfile for reading, by the rules of ``ssd.paths`` for links."""
    try:
        fd = os.open(name, _READ)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):  # EMLINK: on FreeBSD
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
    """Return whether ``name`` is the real path of a descriptor, without a link in it."""
    try:
        return name.startswith(b"/") and os.readlink(b"/proc/self/fd/%d" % fd) == name
    except OSError:
        return False  # /proc is missing or hidden: walk instead

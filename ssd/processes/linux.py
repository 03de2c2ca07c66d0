"""The process table of Linux, read directly: /proc for facts (proc(5)), pidfds for handles.

``ssd --status`` spends its time here. So this module imports little, reads one small file where
one is enough, and asks costly questions only of processes that passed the cheap ones.
"""

import os
from time import monotonic

from ssd.errors import VANISHED, ProcessTableError
from ssd.matching import Criteria, Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from ssd.processes.contract import Handle, Kinship
    from ssd.processes.origin import Origin

DELETED = b" (deleted)"  # the kernel's mark in an exe link if its file lost that name


class LinuxTable:
    """The kernel's own table. ``root`` is where procfs is mounted; ``may_fork``: see ``sharing``.

    A start time is in clock ticks since boot (field 22 of /proc/PID/stat). Two owners of a pid can
    share it only if in one tick (10 ms) the kernel gives out all others, or root sets the next one.
    """

    launcher = None  # the kernel makes the processes

    def __init__(self, root: str = "/proc", may_fork: bool = False) -> None:
        self._root, self._may_fork = os.fsencode(root), may_fork

    @property
    def origin(self) -> "Origin":
        """Return the boot and the clock that start times count from."""
        from ssd.processes.origin import KernelOrigin

        return KernelOrigin(self._root)

    @property
    def kin(self) -> "Kinship":
        """Return what says who belongs to whom; see ``ProcessTable``."""
        from ssd.processes.kin import KernelKinship

        return KernelKinship(self._root, parse)

    def pids(self) -> list[int]:
        """Return every pid, ascending. Raises ProcessTableError if /proc is not mounted."""
        return sorted(map(int, self._entries()))

    def process(self, pid: int) -> Process | None:
        """Return the identity of a living process; None for all else, also a thread's id."""
        return self._look(b"%d" % pid, _ANY)

    def own_pid(self) -> int:
        """Return the pid of the caller, which is never selected."""
        return os.getpid()

    def executable(self, path: "str | bytes | os.PathLike[str]") -> tuple[int, int]:
        """Return device and inode of an executable. Raises OSError if there is none."""
        facts = os.stat(path)
        return facts.st_dev, facts.st_ino

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none of a kernel thread."""
        from ssd.processes.scan import command_line

        return command_line(self._root, pid)

    def select(self, criteria: Criteria) -> list[Process]:
        """Return the living processes that meet the criteria; see ``ProcessTable``."""
        return list(self._matching(criteria))

    def first(self, criteria: Criteria) -> Process | None:
        """Return the first process of ``select``, without reading those after it."""
        matching = self._matching(criteria)
        try:
            return next(matching, None)
        finally:
            matching.close()

    def holds(self, criteria: Criteria, process: Process) -> bool:
        """Say whether the process is still that one and meets the criteria."""
        if criteria.pid is not None and criteria.pid != process.pid:
            return False
        return process.is_still(self._look(b"%d" % process.pid, criteria))

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and cannot be read; see ``ProcessTable``."""
        from ssd.processes.hidden import unreadable

        entry = b"%d" % (criteria.pid or 0)
        ours = self._is_ours()
        return ours and unreadable(criteria, lambda: self._read(entry, criteria), VANISHED)

    def open(self, process: Process) -> "Handle":
        """Hold a process. Raises ProcessLookupError if it has ended."""
        from ssd.processes.handles import open_handle

        if not self._is_ours():
            root = os.fsdecode(self._root)
            raise ProcessTableError(f"{root} shows the processes of another PID namespace")
        return open_handle(process, self.process)

    def children(self, pid: int) -> list[Process]:
        """Return the living children of a process, ascending by pid."""
        asked = Criteria(ppid=pid)
        found = (self._look(entry, asked) for entry in self._candidates(asked))
        return [process for process in found if process is not None]

    def now(self) -> float:
        """Return the time of the monotonic clock, in seconds."""
        return monotonic()

    def wait(self, handles: "Sequence[Handle]", until: float | None) -> None:
        """Return when one of ``handles`` has ended, or at ``until``; see ``ProcessTable``."""
        from ssd.processes.waiting import wait

        wait(handles, until)

    def _matching(self, criteria: Criteria) -> "Generator[Process, None, None]":
        """Yield what ``select`` returns."""
        caller = b"%d" % os.getpid()
        for entry in self._candidates(criteria):
            if entry != caller:
                process = self._look(entry, criteria)
                if process is not None:
                    yield process

    def _candidates(self, criteria: Criteria) -> "Iterable[bytes]":
        """Return, ascending, the entries of /proc that may meet the criteria."""
        if criteria.pid is not None:
            return (b"%d" % criteria.pid,)
        from ssd.processes.scan import sift

        return sift(self._root, self._entries, criteria, marked, DELETED, self._may_fork)

    def _look(self, entry: bytes, criteria: Criteria) -> Process | None:
        """Return the process if it lives and meets all criteria but ``pid``."""
        try:
            try:
                return self._read(entry, criteria)
            except VANISHED:  # a pid alone also matches a process that we cannot read
                return self._unread(entry, criteria) if criteria.bare else None
        except OSError as error:  # no descriptor is left to look with, or no memory
            raise ProcessTableError(f"unable to read /proc: {error.strerror}") from error

    def _read(self, entry: bytes, criteria: Criteria) -> Process | None:
        """Do what ``_look`` does. Raises VANISHED.

        All facts are read through one descriptor of /proc/PID, which stays with the process
        that it was opened for. So facts of two owners of the pid cannot mix.
        """
        where = os.open(self._root + b"/" + entry, os.O_PATH | os.O_DIRECTORY)
        try:
            start_time, ppid = parse(read("stat", where))
            if start_time is not None and _meets(criteria, ppid, where):
                return Process(int(entry), start_time)
        finally:
            os.close(where)
        return None

    def _unread(self, entry: bytes, criteria: Criteria) -> Process | None:
        """Return the process of an entry that could not be read completely."""
        if not self._is_ours():
            return None
        from ssd.processes.hidden import unread

        return unread(int(entry), lambda: self._read(entry, criteria), VANISHED)[0]

    def _entries(self) -> list[bytes]:
        """Return the names in /proc that are pids."""
        try:
            entries = [name for name in os.listdir(self._root) if name.isdigit()]
        except OSError as error:
            root = os.fsdecode(self._root)
            raise ProcessTableError(f"unable to read {root}: {error.strerror}") from error
        if not entries:
            self._caller()
        return entries

    def _is_ours(self) -> bool:
        """Say whether the numbers in /proc are pids of our own PID namespace."""
        return self._caller() == b"%d" % os.getpid()

    def _caller(self) -> bytes:
        """Return our pid as /proc has it. Raises ProcessTableError if that is not there."""
        try:
            return os.readlink(self._root + b"/self")
        except OSError as error:
            root = os.fsdecode(self._root)
            raise ProcessTableError(f"no processes in {root}: is it mounted?") from error


def read(path: str | bytes, where: int | None = None) -> bytes:
    """Read a small file of procfs, relative to ``where``. Raises VANISHED."""
    fd = os.open(path, os.O_RDONLY, dir_fd=where)
    try:
        return os.read(fd, 2048)
    finally:
        os.close(fd)


def parse(stat: bytes) -> tuple[int | None, int]:
    """Take (start time, ppid) from /proc/PID/stat; start time None if it does not live.

    The name in it may hold anything, so count from the last ")". A main thread that has
    ended shows as a zombie while other threads of its process live on. Any other thread has
    the exit signal -1: it is not a process.
    """
    fields = stat[stat.rindex(b")") + 2 :].split(b" ", 36)
    state, ppid, threads, exit_signal = fields[0], fields[1], fields[17], fields[35]
    ended = state in b"Xx" or (state == b"Z" and int(threads) <= 1)
    return None if ended or exit_signal == b"-1" else int(fields[19]), int(ppid)


def _meets(criteria: Criteria, ppid: int, where: int) -> bool:
    """Say whether a process meets all criteria but ``pid``. Raises VANISHED."""
    if criteria.ppid is not None and criteria.ppid != ppid:
        return False
    if criteria.uid is not None and criteria.uid != os.fstat(where).st_uid:
        return False
    if criteria.more is not None:
        from ssd.processes.kernel_facts import meets

        return meets(criteria, where, runs, DELETED)
    if criteria.name is not None and criteria.name + b"\n" != read("comm", where):
        return False
    return criteria.file is None or runs(where, criteria.file)


def runs(where: int, file: tuple[int, int]) -> bool:
    """Say whether the process of a directory of /proc runs a file. Raises VANISHED.

    The file that its exe link leads to is compared. The link's text is a name in the mount
    namespace of the process, which may belong to another user.
    """
    try:
        facts = os.stat(b"exe", dir_fd=where)
        if not marked(b"exe", where):
            return (facts.st_dev, facts.st_ino) == file
    except FileNotFoundError:  # a kernel thread has no executable
        return False
    except OSError as error:  # such as ESTALE: its file system no longer answers
        if isinstance(error, VANISHED):
            raise
    from ssd.processes.scan import runs_by_name

    return runs_by_name(where, file, DELETED)


def marked(exe: bytes, where: int) -> bool:
    """Say whether an exe link says that its file was deleted or replaced. Raises VANISHED."""
    try:
        link = os.readlink(exe, dir_fd=where)
    except OSError as error:
        if isinstance(error, VANISHED):
            raise
        return False  # longer than a page: a name that cannot be looked up
    return link.endswith(DELETED) or link.startswith(DELETED)  # the latter: OpenVZ kernels


_ANY = Criteria()

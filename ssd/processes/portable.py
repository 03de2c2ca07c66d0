"""The process table of psutil: the default except on Linux, where it can be chosen.

On Linux it gives the same answers as ``linux.LinuxTable``, more slowly; a test compares both on
every process of the machine.
"""

import errno
import os
import select
import sys
from time import monotonic

import psutil

from ssd.errors import VANISHED, ProcessTableError
from ssd.matching import UNKNOWN_START, Criteria, Process
from ssd.processes.base import PidByPidTable
from ssd.processes.handles import open_handle
from ssd.processes.hidden import unread, unreadable
from ssd.processes.kin import KernelKinship, Kin
from ssd.processes.linux import DELETED, parse, runs
from ssd.processes.origin import KernelOrigin
from ssd.processes.psutil_errors import asked, asked_again, reason
from ssd.processes.psutil_starts import start_time, steady
from ssd.processes.waiting import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.processes.contract import Handle, Kinship


LINUX = sys.platform == "linux"
ENDED = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
# Raised by ``asked`` for a process that is gone or that the caller may not read.
GONE = (psutil.ZombieProcess, *VANISHED)


class Facts(psutil.Process):
    """psutil's process, without its guesses.

    psutil completes a long name from the command line, and guesses from it an executable that it
    may not read. A process can write any command line, so it is no proof.
    """

    def cmdline(self) -> list[str]:
        """Return an empty command line."""
        return []


class PortableTable(PidByPidTable):
    """psutil's processes; see ``ssd.processes.contract``.

    A start time is in clock ticks since boot on Linux, in microseconds since the epoch
    elsewhere. It stays when the clock is set; ``psutil_starts`` says how. What psutil's errors
    mean is in ``psutil_errors``.
    """

    origin = KernelOrigin() if LINUX else None  # of the start times

    def pids(self) -> list[int]:
        """Return every pid, ascending. Raises ProcessTableError if there is no table."""
        try:
            return sorted(pid for pid in asked(psutil.pids) if pid > 0)  # 0: the kernel, on BSD
        except GONE as error:
            raise ProcessTableError(f"psutil cannot list processes: {reason(error)}") from error
        except IndexError as error:  # psutil's own, of an empty list: /proc is not mounted
            raise ProcessTableError("psutil lists no processes") from error

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none if it has ended."""
        if LINUX:  # psutil would split a single word at its spaces
            return super().command_line(pid)
        try:
            words = asked_again(lambda: psutil.Process(pid).cmdline())
        except GONE:  # ended, or not the caller's to read
            return []
        return [*map(os.fsencode, words)]

    @property
    def kin(self) -> "Kinship":
        """Return what says who belongs to whom; see ``ProcessTable``."""
        return super().kin if LINUX else PortableKinship(self)

    def open(self, process: Process) -> "Handle":
        """Hold a process. Raises ProcessLookupError if it has ended."""
        if hasattr(select, "kqueue"):
            from ssd.processes.kqueue import hold

            return open_handle(process, self.process, hold)
        return open_handle(process, self.process)

    def now(self) -> float:
        """Return the time of the monotonic clock, in seconds."""
        return monotonic()

    def wait(self, handles: "Sequence[Handle]", until: float | None) -> None:
        """Return when one of ``handles`` has ended, or at ``until``; see ``ProcessTable``."""
        wait(handles, until)

    def _look(self, pid: int, criteria: Criteria) -> Process | None:
        """Return the process if it lives and meets all criteria but ``pid``."""
        if pid <= 0:
            return None
        try:
            return self._living(pid, criteria)
        except VANISHED:
            # Once more, as psutil may fail for a moment, of a process that lives.
            seen, readable = unread(pid, lambda: self._living(pid, criteria), VANISHED)
            return seen if readable or criteria.bare else None

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and cannot be read; see ``ProcessTable``."""
        pid = criteria.pid or 0
        return pid > 0 and unreadable(criteria, lambda: self._living(pid, criteria), VANISHED)

    def _living(self, pid: int, criteria: Criteria) -> Process | None:
        """Return what ``_read`` does, None for a zombie. Raises VANISHED."""
        try:
            return steady(lambda clock: asked(self._read, pid, criteria, clock))
        except psutil.ZombieProcess:
            return None

    def _read(self, pid: int, criteria: Criteria, clock: float) -> Process | None:
        """Return what ``_look`` does. Raises psutil's errors.

        Two readings of the start with all facts between them prove one owner of the pid.
        """
        found = Facts(pid)
        began = found.create_time()
        with found.oneshot():
            meets = (
                _lives(found)
                and (criteria.ppid is None or found.ppid() == criteria.ppid)
                and (criteria.uid is None or _owner(found) == criteria.uid)
                and (_meets(found, criteria) if criteria.more is None else _has(found, criteria))
            )
        if not meets or not psutil.pid_exists(pid):  # false for a thread's id
            return None
        again = psutil.Process(pid).create_time()
        return Process(pid, start_time(began, clock)) if again == began else None


class PortableKinship(KernelKinship):
    """The kinship of processes where there is no /proc: psutil's and POSIX's."""

    def __init__(self, table: PortableTable) -> None:
        super().__init__(b"/proc", parse)
        self._table = table

    def of(self, pid: int) -> Kin | None:
        """Return a living process with its kin; None if it has ended."""
        process = self._table.process(pid)
        if process is None or process.start_time == UNKNOWN_START:
            return None
        try:
            kin = asked_again(lambda: self._read_kin(process))
        except GONE:  # ended, or a system that hides other sessions: getsid(2)
            return None
        return kin if process.is_still(self._table.process(pid)) else None

    def _read_kin(self, process: Process) -> Kin:
        """Return a process with its kin; without a name if that cannot be read."""
        pid = process.pid
        found = Facts(pid)
        try:
            name = asked(_name, found)
        except PermissionError:
            name = b""
        return Kin(process, found.ppid(), os.getpgid(pid), os.getsid(pid), name)

    def children(self, pid: int) -> list[int]:
        """Return the pids of the children, zombies too, in no order; none of an ended process."""
        return [each for each in self._table.pids() if pid > 0 and _parent(each) == pid]

    def environment(self, pid: int) -> list[bytes]:
        """Return the entries of the environment, if they can be read."""
        try:
            entries = asked_again(lambda: psutil.Process(pid).environ())
        except GONE:  # ended, or not the caller's to read
            return []
        return [os.fsencode(f"{key}={value}") for key, value in entries.items()]

    def cgroup(self, pid: int) -> bytes | None:
        """Return None: only Linux has them."""
        return None


def _parent(pid: int) -> int | None:
    """Return the parent of a process or zombie; None if it is gone or cannot be read."""
    try:
        return asked_again(lambda: Facts(pid).ppid())
    except GONE:
        return None


def _meets(found: Facts, criteria: Criteria) -> bool:
    """Say whether a process has the name and the executable that are asked for."""
    name_is_right = criteria.name is None or _name(found) == criteria.name
    return name_is_right and (criteria.file is None or _runs(found, criteria.file))


def _has(found: Facts, criteria: Criteria) -> bool:
    """Say whether a process meets name, executable and the rare criteria."""
    if not LINUX:
        from ssd.evidence import meets
        from ssd.processes.psutil_facts import PsutilFacts

        return meets(criteria, PsutilFacts(found))
    from ssd.processes import kernel_facts

    where = os.open(f"{psutil.PROCFS_PATH}/{found.pid}", os.O_PATH | os.O_DIRECTORY)
    try:
        return kernel_facts.meets(criteria, where, runs, DELETED)
    finally:
        os.close(where)


def _runs(found: Facts, file: tuple[int, int]) -> bool:
    """Say whether a process runs a file, by device and inode. Raises PermissionError."""
    text = found.exe()
    if not LINUX:
        from ssd.processes.psutil_facts import runs_path

        return runs_path(os.fsencode(text or ""), file)
    where = os.open(f"{psutil.PROCFS_PATH}/{found.pid}", os.O_PATH | os.O_DIRECTORY)
    try:
        return runs(where, file)
    finally:
        os.close(where)


def _lives(found: Facts) -> bool:
    """Say whether a process has not ended.

    On Linux one whose main thread has ended shows as a zombie while its others live on.
    """
    return found.status() not in ENDED or (LINUX and found.num_threads() > 1)


def _owner(found: Facts) -> int:
    """Return the uid that --user compares: effective on Linux, real elsewhere, as the original."""
    uids = found.uids()
    return int(uids.effective if LINUX else uids.real)


def _name(found: Facts) -> bytes:
    """Return the kernel's name of a process.

    psutil takes it from /proc/PID/stat, where some kernels escape a newline and a backslash;
    comm is plain on all of them.
    """
    name = os.fsencode(found.name() or "")
    if not name and not LINUX:
        raise PermissionError(errno.EACCES, f"psutil knows no name of {found.pid}")
    if LINUX and b"\\" in name:
        with open(f"{psutil.PROCFS_PATH}/{found.pid}/comm", "rb") as comm:
            return comm.read().removesuffix(b"\n")
    return name

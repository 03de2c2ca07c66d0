"""Who descends from one process of a job: the living, and those that have ended but left a trace.

A supervisor is a subreaper (prctl(2)), so orphans become its children and stay zombies until it
reaps them. A zombie still tells its session, its age and its mark.
"""

import os
from time import monotonic

from ssd.errors import VANISHED
from ssd.matching import Process
from ssd.supervision.effects import held
from ssd.upstart.following import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.processes.contract import ProcessTable
    from ssd.upstart.following.marks import Mark

PF_EXITING = 0x4  # linux/sched.h: about to end, and without an environment
PF_FORKNOEXEC = 0x40  # linux/sched.h: forked, and has not executed a program since
EXITING = 0.1  # seconds that the end of a process is waited for, which has begun
PIDS = 1 << 22  # the kernel's limit: pid_max of proc(5)


class Relative:
    """A descendant. ``session``: the pid that leads or led it; ``ended``: whether it is a zombie.

    executed: whether it has executed a program since it was forked. status: of one that was reaped,
    as in ``ssd.supervision.events.Exited``.
    """

    __slots__ = ("process", "session", "ended", "executed", "status")

    def __init__(
        self,
        process: Process,
        session: int,
        ended: bool = False,
        executed: bool = False,
        status: int | None = None,
    ) -> None:
        self.process = process
        self.session = session
        self.ended = ended
        self.executed = executed
        self.status = status

    @property
    def pid(self) -> int:
        """Its pid."""
        return self.process.pid


class Lineage:
    """The descendants of one process that its parent does not wait for, or that were reaped.

    first: that process, which led a session. variables: entries of the environment of the job's
    processes, which may be those of older ones, too. mark: what only its descendants have; None
    without one. reaps: whether orphans become our children.
    """

    __slots__ = ("_table", "_first", "_variables", "_mark", "_reaps", "_gone", "_sessions")

    def __init__(
        self,
        table: "ProcessTable",
        first: Process,
        variables: "tuple[bytes, bytes]",
        mark: "Mark | None",
        reaps: bool,
    ) -> None:
        self._table = table
        self._first = first
        self._variables = variables
        self._mark = mark
        self._reaps = reaps
        self._gone: list[Relative] = []
        self._sessions = {first.pid}  # made by descendants

    def look(self, beside: int = 0) -> "list[Relative]":
        """Return the descendants that are orphans now, and those that were, the oldest first.

        ``beside``: the pid of one whose end somebody waits for. Raises ProcessTableError.
        """
        table = self._table
        pids = table.kin.children(table.own_pid()) if self._reaps else table.pids()
        waited_for = held.WAITED_FOR if table.launcher is None else ()
        found = self._ours(pid for pid in pids if pid not in waited_for or pid == beside)
        gone = [each for each in self._gone if each.process not in {one.process for one in found}]
        return sorted(found + gone, key=self._age)

    def children(self, pid: int) -> "list[Relative]":
        """Return the living children of a descendant, the oldest first."""
        found = self._ours(self._table.kin.children(pid))
        return sorted((each for each in found if not each.ended), key=self._age)

    def bury(self, relative: Relative, status: int | None) -> None:
        """Remember a descendant that is reaped."""
        relative.ended, relative.status = True, status
        self._gone.append(relative)

    def witness(self, pid: int, status: int) -> None:
        """Remember an orphan that is about to be reaped, if it is a descendant."""
        for relative in self._ours([pid]):
            self.bury(relative, status)

    def _ours(self, pids: "Iterable[int]") -> "list[Relative]":
        """Return those that descend from the first one."""
        found = [relative_of(pid, self._table) for pid in pids]
        ours = [each for each in found if each is not None and self._is_ours(each)]
        self._sessions.update(each.pid for each in ours if each.session == each.pid)
        return ours

    def _is_ours(self, relative: Relative) -> bool:
        process, first = relative.process, self._first
        if process == first or process.start_time < first.start_time:
            return False
        told = self._by_environment(relative)
        value = None if self._mark is None else marks.of(relative.pid)
        if value is not None and self._mark is not None:
            return value == self._mark.value and told is not False
        return relative.session in self._sessions or bool(told)

    def _by_environment(self, relative: Relative) -> bool | None:
        """Tell whether its environment is of this job; None if it says nothing."""
        if relative.ended:
            return None
        names = tuple(each.partition(b"=")[0] + b"=" for each in self._variables)
        entries = self._table.kin.environment(relative.pid)
        if not entries and self._table.launcher is None:
            _stat(relative.pid)  # if it ends just now, its children are orphans after this
        said = [entry for entry in entries if entry.startswith(names)]
        return set(said) == set(self._variables) if said else None

    def _age(self, relative: Relative) -> tuple[int, int]:
        """Return what orders by age: pids are given out in turn, from the first one's on."""
        process = relative.process
        return process.start_time, (process.pid - self._first.pid) % PIDS


def relative_of(pid: int, table: "ProcessTable") -> Relative | None:
    """Return what is known of a process or zombie; None if there is none."""
    if table.launcher is not None:
        kin = table.kin.of(pid)
        return None if kin is None else Relative(kin.process, kin.session)
    stat = _stat(pid)
    if stat is None:
        return None
    state, _, _, session, _, _, flags, *rest = stat
    executed = not int(flags) & PF_FORKNOEXEC
    return Relative(Process(pid, int(rest[12])), int(session), state in b"ZXx", executed)


def _stat(pid: int) -> "list[bytes] | None":
    """Return /proc/PID/stat from the third field on; None if there is no such process.

    The end of a process that has begun is waited for: it has no environment any more, and its
    children are no orphans yet (do_exit, kernel/exit.c).
    """
    end = 0.0
    while True:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                stat = file.read()
        except VANISHED:
            return None
        fields = stat[stat.rindex(b")") + 2 :].split()
        now = monotonic()
        end = end or now + EXITING
        if fields[0] in b"ZXx" or not int(fields[6]) & PF_EXITING or now > end:
            return fields
        os.sched_yield()

"""A process table whose processes are declared, in a time that jumps.

It keeps the contract of ``ssd.processes.types`` like the kernel's table does; the same
conformance checks run on both.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import NamedTuple, Self

from ssd.matching import Criteria
from ssd.processes.identity import UNKNOWN_START, Process
from ssd.processes.types import Handle
from ssd.testing.clock import FakeClock
from ssd.testing.process import Executable, FakeProcess
from ssd.testing.reactions import Reaction

TICK = 0.01  # seconds; start times count them, as on Linux
CALLER = 100  # the caller's pid; the processes that are added follow it
RESERVED = 300  # where pids begin again after the highest: kernel/pid.c


class Sent(NamedTuple):
    """A signal that reached a process."""

    time: float
    pid: int
    signum: int


class WaitsForEver(RuntimeError):
    """A wait without a limit, and nothing is to come that ends it: a test would hang."""


class FakeProcesses:
    """The processes of a machine that a test makes up.

    clock: the time they live in; a new one from 0 unless given.
    caller_uid: who asks and signals; root may do everything.
    caller_pid: the process that asks, never selected. Not this process's own unless given:
    pids are to be the same wherever a test runs.
    pid_max: one more than the highest pid, as in /proc/sys/kernel/pid_max.
    init_reaps: False is a container whose first process waits for nobody.
    hidepid: others' processes cannot be seen by anybody but root.

    ``signals`` is the record of all that were received, oldest first. ``last_pid`` may be
    set, to have the next process take the pid after it. Pid 1 exists from the start.
    """

    def __init__(
        self,
        clock: FakeClock | None = None,
        *,
        caller_uid: int = 0,
        caller_pid: int = CALLER,
        pid_max: int = 32768,
        init_reaps: bool = True,
        hidepid: bool = False,
    ) -> None:
        self.clock = clock or FakeClock()
        self.caller_uid = caller_uid
        self.pid_max = pid_max
        self.hidepid = hidepid
        self.last_pid: int = CALLER
        self.signals: list[Sent] = []
        self._processes: dict[int, FakeProcess] = {}
        self._last_start = 0
        reaped = 0.0 if init_reaps else None
        self.init = self.add("init", pid=1, ppid=0, reaped_after=reaped)
        self._init_reaps = init_reaps
        self.caller = self.init
        if caller_pid != self.init.pid:
            self.caller = self.add("caller", pid=caller_pid, uid=caller_uid)

    def add(
        self,
        name: str | bytes,
        *,
        argv: Sequence[str] | None = None,
        exe: Executable = None,
        uid: int = 0,
        ppid: int = 1,
        pid: int | None = None,
        start_time: int | None = None,
        reactions: Mapping[int, Reaction] | None = None,
        reaped_after: float | None = 0.0,
    ) -> FakeProcess:
        """Declare a process that runs from now on.

        exe: a path, looked up when compared; (device, inode); or None, cannot be read.
        pid: the next free one unless given.
        reactions: signal number -> what happens (``ssd.testing.reactions``); the kernel's
        defaults for all others.
        reaped_after: seconds as a zombie; None: until ``reap()`` or the parent's end.

        Raises ValueError if the pid is taken, BlockingIOError if all are.
        """
        pid = self._next_pid() if pid is None else pid
        if pid in self._processes:
            raise ValueError(f"pid {pid} is taken by {self._processes[pid]}")
        if start_time is None:  # never twice the same: a reused pid must be told apart
            start_time = max(self._last_start + 1, int(self.clock.now() / TICK))
            self._last_start = start_time
        words = [os.fsdecode(name)] if argv is None else argv
        process = FakeProcess(
            self, Process(pid, start_time), name, words, exe, uid, ppid,
            reactions or {}, reaped_after,
        )  # fmt: skip
        self._processes[pid] = process
        return process

    def __getitem__(self, pid: int) -> FakeProcess:
        """Return a process, a zombie too. Raises KeyError, which says who there is."""
        if pid not in self._processes:
            raise KeyError(f"no pid {pid}; there are {[*self._processes.values()]}")
        return self._processes[pid]

    def pids(self) -> list[int]:
        """Return every pid that the caller may see, ascending."""
        return sorted(pid for pid in self._processes if self._visible(pid))

    def process(self, pid: int) -> Process | None:
        """Return the identity of a living process, or None."""
        return self._look(pid, Criteria())

    def select(self, criteria: Criteria) -> list[Process]:
        """Return the living processes that meet the criteria; see ``ProcessTable``."""
        return list(self._matching(criteria))

    def first(self, criteria: Criteria) -> Process | None:
        """Return the first that ``select`` would."""
        return next(self._matching(criteria), None)

    def holds(self, criteria: Criteria, process: Process) -> bool:
        """Say whether the process is still that one and meets the criteria."""
        if criteria.pid is not None and criteria.pid != process.pid:
            return False
        return self._look(process.pid, criteria) == process

    def open(self, process: Process) -> Handle:
        """Hold a process. Raises ProcessLookupError if it is not there any more."""
        if self.process(process.pid) != process:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return FakeHandle(self, self._processes[process.pid])

    def children(self, pid: int) -> list[Process]:
        """Return the living children of a process, ascending by pid."""
        found = (self._look(each, Criteria(ppid=pid)) for each in self.pids())
        return [process for process in found if process is not None]

    def now(self) -> float:
        """Return the time of the clock, in seconds."""
        return self.clock.now()

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Let time pass until one of ``handles`` has ended, at most to ``until``.

        Raises ValueError if there is nothing to wait for, WaitsForEver if it never comes.
        """
        if until is None and not handles:
            raise ValueError("nothing to wait for")
        while not any(handle.ended() for handle in handles):
            event = self.clock.next_event()
            if until is not None and (event is None or event > until):
                self.clock.advance_to(max(until, self.clock.now()))
                return
            if event is None:
                waiting = [handle.process for handle in handles]
                raise WaitsForEver(f"nothing is to come that ends one of {waiting}")
            self.clock.step()

    def may_signal(self, process: FakeProcess) -> bool:
        """Say whether the caller may: root, or the same user (kill(2))."""
        return self.caller_uid in (0, process.uid)

    def bury(self, process: FakeProcess) -> None:
        """See to what follows a death: orphans go to init, the parent reaps."""
        for child in [each for each in self._processes.values() if each.ppid == process.pid]:
            child.ppid = 1
            if child.ended and self._init_reaps:
                child.reap()
        if process.ppid == 1 and not self._init_reaps:
            return
        if process.reaped_after is not None:
            self.clock.after(process.reaped_after, process.reap)

    def forget(self, process: FakeProcess) -> None:
        """Take a reaped process off the table; its pid is free."""
        del self._processes[process.pid]

    def _matching(self, criteria: Criteria) -> Iterator[Process]:
        """Yield what ``select`` returns."""
        for pid in self.pids() if criteria.pid is None else [criteria.pid]:
            process = None if pid == self.caller.pid else self._look(pid, criteria)
            if process is not None:
                yield process

    def _look(self, pid: int, criteria: Criteria) -> Process | None:
        """Return the process if it lives and meets all criteria but ``pid``."""
        if pid not in self._processes or self._processes[pid].ended:
            return None
        if not self._visible(pid):
            # As on a real system: kill(2) tells that it is there, and nothing tells more.
            return Process(pid, UNKNOWN_START) if criteria.bare else None
        found = self._processes[pid]
        meets = (
            (criteria.ppid is None or found.ppid == criteria.ppid)
            and (criteria.uid is None or found.uid == criteria.uid)
            and (criteria.name is None or found.name == criteria.name)
            # The link /proc/PID/exe can be read by those who may trace: ptrace(2).
            and (criteria.file is None or self.may_signal(found) and found.file() == criteria.file)
        )
        return found.identity if meets else None

    def _visible(self, pid: int) -> bool:
        """Say whether the caller sees this pid in the table."""
        found = self._processes.get(pid)
        return found is not None and (not self.hidepid or self.may_signal(found))

    def _next_pid(self) -> int:
        """Take the next free pid after ``last_pid``, round the corner like the kernel."""
        lowest = RESERVED if self.pid_max > RESERVED else 2
        first, second = range(self.last_pid + 1, self.pid_max), range(lowest, self.pid_max)
        for pid in chain(first, second):
            if pid not in self._processes:
                self.last_pid = pid
                return pid
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


class FakeHandle:
    """A declared process, held: who takes over its pid cannot be reached through this."""

    def __init__(self, table: FakeProcesses, held: FakeProcess) -> None:
        self.process = held.identity
        self._table = table
        self._held = held
        self._closed = False

    def fileno(self) -> int:
        """Return -1: there is no descriptor, ``FakeProcesses.wait`` needs none."""
        return -1

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        if self.ended():
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not self._table.may_signal(self._held):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if signum:
            self._table.signals.append(Sent(self._table.now(), self.process.pid, signum))
            self._held.receive(signum)

    def ended(self) -> bool:
        """Say whether the process has ended. Raises ValueError on a closed handle."""
        if self._closed:
            raise ValueError("the handle is closed")
        return self._held.ended

    def close(self) -> None:
        """Let go."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

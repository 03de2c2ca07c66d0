"""A process table whose processes are declared, in a time that jumps.

It keeps the contract of ``ssd.processes.types`` like the kernel's table does; the same
conformance checks run on both.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from threading import RLock

from ssd.errors import StartFailed
from ssd.finding import resolve
from ssd.matching import Criteria, Match
from ssd.processes.identity import UNKNOWN_START, Process
from ssd.processes.types import Handle
from ssd.starting import Launch
from ssd.testing import launching, record
from ssd.testing.clock import FakeClock
from ssd.testing.handles import FakeHandle
from ssd.testing.launching import WaitsForEver
from ssd.testing.process import Executable, FakeProcess
from ssd.testing.programs import Files, NotRegistered, Path, Program, Programs
from ssd.testing.reactions import Reaction
from ssd.testing.record import Event, Sent
from ssd.testing.waiting import Waiters

TICK = 0.01  # seconds; start times count them, as on Linux
CALLER = 100  # the caller's pid; the processes that are added follow it
RESERVED = 300  # where pids begin again after the highest: kernel/pid.c


class FakeProcesses:
    """The processes of a machine that a test makes up.

    clock: the time they live in; a new one from 0 unless given.
    caller_uid: who asks and signals; root may do everything.
    caller_pid: the process that asks, never selected. Not this process's own unless given:
    pids are to be the same wherever a test runs.
    pid_max: one more than the highest pid, as in /proc/sys/kernel/pid_max.
    init_reaps: False is a container whose first process waits for nobody.
    hidepid: others' processes cannot be seen by anybody but root.

    ``signals`` is the record of all that were received, oldest first: (time, pid, signal
    number, process). ``events`` is that of everything; ``timeline`` draws it. ``started``
    are the processes that starts have made. ``last_pid`` may be set, to have the next process
    take the pid after it. Pid 1 exists from the start.
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
        self.events: list[Event] = []
        self.started: list[FakeProcess] = []
        self.programs = Programs()
        self.files = Files()
        self.starting = RLock()
        self._processes: dict[int, FakeProcess] = {}
        self._waiters = Waiters(self)
        self._last_start = 0
        reaped = 0.0 if init_reaps else None
        self.init = self.add("init", pid=1, ppid=0, reaped_after=reaped)
        self._init_reaps = init_reaps
        self.caller = self.init
        if caller_pid != self.init.pid:
            self.caller = self.add("caller", pid=caller_pid, uid=caller_uid)
        self.events.clear()  # those two are always there

    def add(
        self,
        name: str | bytes,
        *,
        argv: Sequence[str] | None = None,
        exe: Executable = None,
        uid: int | str = 0,
        ppid: int = 1,
        pid: int | None = None,
        start_time: int | None = None,
        reactions: Mapping[int, Reaction] | None = None,
        reaped_after: float | None = 0.0,
    ) -> FakeProcess:
        """Declare a process that runs from now on.

        exe: a path, looked up when compared, and on no disk needed; (device, inode); or
        None, cannot be read.
        uid: the owner, by number or by the name of an account of the real machine.
        pid: the next free one unless given.
        reactions: signal number -> what happens (``ssd.testing.reactions``); the kernel's
        defaults for all others.
        reaped_after: seconds as a zombie; None: until ``reap()`` or the parent's end.

        Raises ValueError if the pid is taken or none, BlockingIOError if all are, UnknownUser.
        """
        owner = resolve(Match(user=uid)).uid or 0
        self.files.declare(exe)
        with self.starting:
            pid = self._next_pid() if pid is None else pid
            if pid in self._processes:
                raise ValueError(f"pid {pid} is taken by {self._processes[pid]}")
            if start_time is None:  # never twice the same: a reused pid must be told apart
                start_time = max(self._last_start + 1, int(self.clock.now() / TICK))
                self._last_start = start_time
            words = [os.fsdecode(name)] if argv is None else argv
            process = FakeProcess(
                self, Process(pid, start_time), name, words, exe, owner, ppid,
                reactions or {}, reaped_after,
            )  # fmt: skip
            self._processes[pid] = process
        self.note(process, f"appears, child of {ppid}, user {owner}: {' '.join(process.argv)}")
        return process

    def register(
        self,
        path: Path,
        *,
        name: str | bytes | None = None,
        exe: Executable = None,
        reactions: Mapping[int, Reaction] | None = None,
        runs: Reaction | None = None,
        ready_after: float | None = None,
        fails: int | StartFailed = 0,
    ) -> Program:
        """Declare what a process is like that a start (``ssd.start``, ``ssd --start``) makes.

        path: what is executed; it need not be on the disk.
        name, exe: the kernel's, where they are others than the path gives: a script's.
        reactions: as in ``add``. runs: a reaction, what it does when it is executed.
        ready_after: seconds until it says READY=1 (sd_notify(3)); None: never.
        fails: the errno of the execve(2) that does not succeed, or another StartFailed.
        """
        name_of = os.fsdecode(path)
        self.files.declare(name_of)
        return self.programs.add(Program(name_of, name, exe, reactions, runs, ready_after, fails))

    def allow_unregistered(self, allow: bool = True) -> None:
        """Have a start of any other path make a process that lives until it is signalled."""
        self.programs.allow_unregistered = allow

    def __getitem__(self, pid: int) -> FakeProcess:
        """Return a process, a zombie too. Raises NotRegistered, which says who there is."""
        if pid not in self._processes:
            raise NotRegistered(f"no pid {pid}; there are {[*self._processes.values()]}")
        return self._processes[pid]

    def pids(self) -> list[int]:
        """Return every pid that the caller may see, ascending."""
        return sorted(pid for pid in list(self._processes) if self._visible(pid))

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
        ended = self.clock.advance_until(lambda: any(each.ended() for each in handles), until)
        if until is None and not ended:
            waiting = [handle.process for handle in handles]
            raise WaitsForEver(f"nothing is to come that ends one of {waiting}")

    def own_pid(self) -> int:
        """Return the pid of the caller."""
        return self.caller.pid

    async def wait_async(self, handles: Sequence[Handle], until: float | None) -> None:
        """Wait while an asyncio loop goes on; time jumps when all its tasks wait here."""
        await self._waiters.wait(handles, until)

    def launch(self, start: Launch) -> Process:
        """Do a start without fork(2) and execve(2), see ``register``; ``Launch`` asks for it."""
        return launching.launch(self, start)

    def file(self, path: Path) -> tuple[int, int]:
        """Return device and inode of an executable.

        Of the file that has the path; else, if the path was declared, numbers of its own on
        device 0. Raises OSError if there is neither.
        """
        return self.files.find(path)

    def note(self, process: FakeProcess, what: str) -> None:
        """Put into the record what happens to a process."""
        self.events.append(record.event(self.now(), process, what))

    def timeline(self, last: int | None = None) -> str:
        """Return what happened, a line for each event (the ``last`` so many), and who is there."""
        there = [each for _, each in sorted(self._processes.items())]
        living = [each for each in there if each not in (self.init, self.caller)]
        before = 0 if last is None else max(0, len(self.events) - last)
        return record.timeline(self.events[before:], self.now(), living, before)

    def may_signal(self, process: FakeProcess) -> bool:
        """Say whether the caller may: root, or the same user (kill(2))."""
        return self.caller_uid in (0, process.uid)

    def bury(self, process: FakeProcess) -> None:
        """See to what follows a death: orphans go to init, the parent reaps."""
        for child in [each for each in self._processes.values() if each.ppid == process.pid]:
            child.ppid = 1
            child.reaped_after = 0.0 if self._init_reaps else None
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

    def __repr__(self) -> str:
        return f"<FakeProcesses, {len(self._processes)} at {self.now():g} s>"

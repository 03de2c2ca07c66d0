"""A process table of declared processes, with a clock that jumps.

It keeps the contract of ``ssd.processes.contract`` as the kernel's table does: the same checks
run on both.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from itertools import chain

from ssd import evidence
from ssd.errors import StartFailed
from ssd.finding import resolve
from ssd.matching import UNKNOWN_START, Criteria, Match, Process
from ssd.processes.base import PidByPidTable
from ssd.processes.contract import Handle, Notifications
from ssd.processes.origin import Origin
from ssd.starting import Start
from ssd.testing import programs, record
from ssd.testing.clock import FakeClock, Patience, Waiters
from ssd.testing.facts import FakeFacts
from ssd.testing.handles import FakeHandle, FakeNotifications
from ssd.testing.kin import FakeKinship
from ssd.testing.process import Executable, FakeProcess, Reaction, Sent, comm, own_all
from ssd.testing.programs import Files, NotRegistered, Path, Program, Programs

TICK = 0.01  # seconds; start times count them, as on Linux
CALLER_PID = 100  # the processes that are added follow it
LOWEST_PID = 300  # where pids begin again after the highest: kernel/pid.c


class FakeProcesses(PidByPidTable):
    """The processes of a machine that a test declares.

    clock: the time of the machine; a new FakeClock from 0 unless given.
    caller_uid: the user that looks and signals; root may do everything.
    caller_pid: the process that looks and is never selected. It is 100 and not the test's own, so
    that pids are the same wherever a test runs.
    pid_max: one more than the highest pid, as in /proc/sys/kernel/pid_max.
    init_reaps: False is a container whose first process reaps no orphans.
    hidepid: only root sees other users' processes and those that are not dumpable.

    ``signals`` records all signals that were received, oldest first: (time, pid, signal number,
    process). ``events`` records everything; ``timeline`` draws it. ``started`` are the
    processes that starts have made. ``last_pid`` may be set: the next process gets the pid
    after it. Pid 1 always exists.
    """

    def __init__(
        self,
        clock: FakeClock | None = None,
        *,
        caller_uid: int | str = 0,
        caller_pid: int = CALLER_PID,
        pid_max: int = 32768,
        init_reaps: bool = True,
        hidepid: bool = False,
    ) -> None:
        self.clock = clock or FakeClock()
        self.lock = self.clock.lock  # held by each look and change: there may be threads
        self.pid_max = pid_max
        self.last_pid = CALLER_PID
        self._init_reaps = init_reaps
        self._processes: dict[int, FakeProcess] = {}
        self.hidepid = hidepid
        # A boot of its own: a pidfile of another machine means no process of this one.
        self.origin = Origin(b"fake-" + os.urandom(8).hex().encode(), b"fake")
        self.launcher = self
        self.signals: list[Sent] = []
        self.events: list[record.Event] = []
        self.started: list[FakeProcess] = []
        self.programs = Programs()
        self.files = Files()
        self.patience = Patience(self.clock, lambda: len(self.events))
        self.waiters = Waiters(self.clock, self.patience)
        self._last_start = 0
        reaped = 0.0 if init_reaps else None
        self.init = self.add("init", pid=1, ppid=0, reaped_after=reaped)
        self.caller = self.init
        if caller_pid != self.init.pid:
            self.caller = self.add("caller", pid=caller_pid)
        self.caller_uid = caller_uid
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
        environment: Mapping[str, str] | None = None,
        group: int | None = None,
        session: int | None = None,
    ) -> FakeProcess:
        """Declare a process that runs from now on.

        exe: a path, which is looked up when it is compared and need not be on disk; or (device,
        inode); or None for an executable that cannot be read.
        uid: the owner, by number or by the name of an account of the real machine.
        pid: the next free one unless given. start_time: in hundredths of a second of the clock,
        now unless given; negative for a process that is older than the clock.
        reactions: signal number -> reaction (``ssd.testing.reactions``); all other signals have
        the kernel's defaults.
        reaped_after: seconds as a zombie; None: until ``reap()`` or the parent's end.
        environment: with which it was executed; empty unless given.
        group, session: their numbers. Unless given, those of the parent; a child of init leads its
        own, as a daemon does.

        Raises ValueError if the pid is taken or invalid, BlockingIOError if no pid is free,
        UnknownUser.
        """
        owner = uid_of(uid)
        self.files.declare(exe)
        with self.lock:
            pid = self._next_pid() if pid is None else pid
            if pid in self._processes:
                raise ValueError(f"pid {pid} is taken by {self._processes[pid]}")
            if start_time is None:  # never the same twice: a reused pid must be recognized
                start_time = max(self._last_start + 1, int(self.clock.now() / TICK))
                self._last_start = start_time
            words = [os.fsdecode(name)] if argv is None else argv
            process = FakeProcess(
                self, Process(pid, start_time), name, words, exe, owner, ppid,
                reactions or {}, reaped_after,
            )  # fmt: skip
            process.environment = dict(environment or {})
            parent = self._processes.get(ppid, process) if ppid != 1 else process
            process.group = parent.group if group is None else group
            process.session = parent.session if session is None else session
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
        interpreter: str | None = None,
    ) -> Program:
        """Declare a program, which a start (``ssd.start``, ``ssd --start``) can execute.

        path: the path that is executed; it need not be on disk.
        name, exe: the kernel's name and executable of its processes, if they differ from the path.
        interpreter: what follows #! in the first line of a script, such as "/usr/bin/python3 -u":
        its processes run that program, with the script in their command line.
        reactions: as in ``add``. runs: a reaction that runs when the program is executed.
        ready_after: seconds until it sends READY=1 (sd_notify(3)); None: never.
        fails: the errno with which execve(2) fails, or another StartFailed.
        """
        name_of = os.fsdecode(path)
        self.files.declare(name_of)
        program = Program(name_of, name, exe, reactions, runs, ready_after, fails, interpreter)
        if interpreter is not None:
            self.files.declare(program.exe)
        return self.programs.add(program)

    def allow_unregistered(self, allow: bool = True) -> None:
        """Let a start execute any other path: the process runs until it is signalled.

        Every executable exists then.
        """
        self.programs.allow_unregistered = allow

    @property
    def caller_uid(self) -> int:
        """The user that looks and signals; it may be set, also to the name of a real account."""
        return self.caller.uid

    @caller_uid.setter
    def caller_uid(self, user: int | str) -> None:
        self.caller.uid = uid_of(user)

    @property
    def kin(self) -> FakeKinship:
        """Return what says who belongs to whom."""
        return FakeKinship(self)

    def own_pid(self) -> int:
        """Return the pid of the caller."""
        return self.caller.pid

    def inhabitants(self) -> list[FakeProcess]:
        """Return the processes and zombies, ascending by pid."""
        return [each for _, each in sorted(self._processes.items())]

    def pids(self) -> list[int]:
        """Return every pid that the caller may see, ascending."""
        with self.lock:
            return sorted(pid for pid in self._processes if self.is_visible(pid))

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none if it has ended."""
        found = self._processes.get(pid)
        if found is None or found.ended or not self.is_visible(pid):
            return []
        return [os.fsencode(word) for word in found.argv]

    def may_signal(self, process: FakeProcess) -> bool:
        """Say whether the caller may: root, or the same user (kill(2))."""
        return self.caller_uid in (0, process.uid)

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and cannot be read; see ``ProcessTable``."""
        found = self._processes.get(criteria.pid or 0)
        if found is None or found.ended or criteria.bare:
            return False
        return not self.is_visible(found.pid) or self._meets(found, criteria) is None

    def open(self, process: Process) -> Handle:
        """Hold a process. Raises ProcessLookupError if it has ended."""
        with self.lock:
            if not process.is_still(self.process(process.pid)):
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            return FakeHandle(self, self._processes[process.pid], process)

    def now(self) -> float:
        """Return the time of the clock, in seconds."""
        return self.clock.now()

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Let time pass until one of ``handles`` has ended, at most to ``until``.

        Raises ValueError for neither a handle nor a time, WaitsForEver if no end ever comes.
        """
        if until is None and not handles:
            raise ValueError("nothing to wait for")
        self.patience.wait(lambda: any(each.ended() for each in handles), until, handles)

    async def wait_async(self, handles: Sequence[Handle], until: float | None) -> None:
        """Wait while an asyncio loop runs; time jumps when all its tasks wait here."""
        await self.waiters.wait(handles, until)

    def launch(self, start: Start) -> Process:
        """Do a start without fork(2) and execve(2); see ``register``. ``Start.run`` calls it."""
        return programs.launch(self, start)

    def notifications(self, process: Process) -> Notifications:
        """Receive what a process says. Raises ProcessLookupError if it does not exist."""
        with self.lock:
            if process.pid not in self._processes:
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            return FakeNotifications(self, self._processes[process.pid], process)

    async def launch_async(self, start: Start) -> Process:
        """Do a start while an asyncio loop runs; ``ssd.aio.start`` calls it."""
        return await programs.launch_async(self, start)

    def executable(self, path: Path) -> tuple[int, int]:
        """Return device and inode of an executable.

        Those of the file at the path; if there is none and the path was declared, device 0 and
        a number of its own. Raises OSError otherwise, with a note of what is registered.
        """
        try:
            return self.files.find(path)
        except OSError as error:
            if self.programs.allow_unregistered:
                self.files.declare(path)
                return self.files.find(path)
            error.add_note(self.programs.advice(path))
            raise

    def load(self, process: FakeProcess, exe: str | os.PathLike[str]) -> None:
        """Have a process run another program, with its executable, name and reactions."""
        program = self.programs.get(exe)
        if program is None:
            process.exe, process.name = exe, comm(os.path.basename(exe))
            self.files.declare(exe)
        else:
            process.exe, process.name = program.exe, comm(program.name)
            process.argv = program.words(process.argv)
            process.reactions.update(own_all(program.reactions))
            program.run(process)

    def bury(self, process: FakeProcess) -> None:
        """Do what follows a death: orphans go to a subreaper or to init, the parent reaps."""
        guardian = self._guardian(process)
        for child in [each for each in self._processes.values() if each.ppid == process.pid]:
            child.ppid = guardian.pid
            child.orphaned = guardian is self.init
            if child.orphaned and child.ended and self._init_reaps:
                child.reap()
        if process.ppid == 1 and not self._init_reaps:
            return
        after = 0.0 if process.orphaned else process.reaped_after
        if after is not None:
            self.clock.after(after, process.reap)

    def _guardian(self, process: FakeProcess) -> FakeProcess:
        """Return who gets the children of a process that ends: prctl(2), PR_SET_CHILD_SUBREAPER."""
        above = self._processes.get(process.ppid)
        while above is not None and above is not self.init and not above.ended:
            if above.subreaper:
                return above
            above = self._processes.get(above.ppid)
        return self.init

    def forget(self, process: FakeProcess) -> None:
        """Take a reaped process off the table; its pid is free."""
        del self._processes[process.pid]

    def note(self, process: FakeProcess, what: str) -> None:
        """Put into the record what happens to a process."""
        self.events.append(record.event(self.now(), process, what))

    def timeline(self, last: int | None = None) -> str:
        """Return the record as text, a line for each event, and the processes that run now.

        ``last`` limits it to so many events.
        """
        living = [each for each in self.inhabitants() if each not in (self.init, self.caller)]
        before = 0 if last is None else max(0, len(self.events) - last)
        return record.timeline(self.events[before:], self.now(), living, before)

    def __getitem__(self, pid: int) -> FakeProcess:
        """Return a process or zombie. Raises NotRegistered, which lists all that there are."""
        with self.lock:
            if pid not in self._processes:
                raise NotRegistered(f"no pid {pid}; there are {[*self._processes.values()]}")
            return self._processes[pid]

    def _look(self, pid: int, criteria: Criteria) -> Process | None:
        """Return the process if it lives and meets all criteria but ``pid``."""
        found = self._processes.get(pid)
        if found is None or found.ended:
            return None
        if not self.is_visible(pid):
            # As on a real system: kill(2) finds it, and its facts cannot be read.
            return Process(pid, UNKNOWN_START) if criteria.bare else None
        return found.identity if self._meets(found, criteria) else None

    def _meets(self, found: FakeProcess, criteria: Criteria) -> bool | None:
        """Say whether a visible process meets the criteria; None if the caller may not know."""
        meets = (
            (criteria.ppid is None or found.ppid == criteria.ppid)
            and (criteria.uid is None or found.uid == criteria.uid)
            and (criteria.more or criteria.name is None or found.name == criteria.name)
        )
        if meets and criteria.more is not None:
            try:
                return evidence.meets(criteria, FakeFacts(self, found, criteria.file))
            except PermissionError:
                return None
        if not meets or criteria.file is None:
            return bool(meets)
        # Only callers that may trace a process can read /proc/PID/exe: ptrace(2).
        return found.file() == criteria.file if self.may_trace(found) else None

    def may_trace(self, process: FakeProcess) -> bool:
        """Say whether the caller is root, or the process is its own user's and dumpable."""
        return self.caller_uid == 0 or (self.may_signal(process) and process.dumpable)

    def is_visible(self, pid: int) -> bool:
        """Say whether the caller sees this pid in the table."""
        found = self._processes.get(pid)
        return found is not None and (not self.hidepid or self.may_trace(found))

    def _next_pid(self) -> int:
        """Take the next free pid after ``last_pid``, from LOWEST_PID on again after the highest."""
        lowest = LOWEST_PID if self.pid_max > LOWEST_PID else 2
        first, second = range(self.last_pid + 1, self.pid_max), range(lowest, self.pid_max)
        for pid in chain(first, second):
            if pid not in self._processes:
                self.last_pid = pid
                return pid
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def __repr__(self) -> str:
        return f"<FakeProcesses, {len(self._processes)} at {self.now():g} s>"


def uid_of(user: int | str) -> int:
    """Return the uid of a user, by number or by name. Raises UnknownUser."""
    return resolve(Match(user=user)).uid or 0

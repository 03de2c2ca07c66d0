"""A process table whose processes are declared, in a time that jumps.

It keeps the contract of ``ssd.processes.contract`` like the kernel's table does; the same
conformance checks run on both.
"""

import errno
import os
from collections.abc import Mapping, Sequence

from ssd.errors import StartFailed
from ssd.matching import Process
from ssd.processes.contract import Handle
from ssd.processes.origin import Origin
from ssd.starting import Start
from ssd.testing import launching, record
from ssd.testing.clock import FakeClock
from ssd.testing.handles import FakeHandle
from ssd.testing.looking import View, uid_of
from ssd.testing.patience import Patience
from ssd.testing.process import Executable, FakeProcess
from ssd.testing.programs import Files, Path, Program, Programs
from ssd.testing.reactions import Reaction
from ssd.testing.record import Event, Sent
from ssd.testing.waiting import Waiters

TICK = 0.01  # seconds; start times count them, as on Linux
CALLER = 100  # the caller's pid; the processes that are added follow it


class FakeProcesses(View):
    """The processes of a machine that a test makes up.

    clock: the time they live in; a new one from 0 unless given.
    caller_uid: who asks and signals; root may do everything.
    caller_pid: the process that asks, never selected. Not this process's own unless given:
    pids are to be the same wherever a test runs.
    pid_max: one more than the highest pid, as in /proc/sys/kernel/pid_max.
    init_reaps: False is a container whose first process waits for nobody.
    hidepid: others' processes, and those that are not dumpable, are seen by nobody but root.

    ``signals`` is the record of all that were received, oldest first: (time, pid, signal
    number, process). ``events`` is that of everything; ``timeline`` draws it. ``started``
    are the processes that starts have made. ``last_pid`` may be set, to have the next process
    take the pid after it. Pid 1 exists from the start.
    """

    def __init__(
        self,
        clock: FakeClock | None = None,
        *,
        caller_uid: int | str = 0,
        caller_pid: int = CALLER,
        pid_max: int = 32768,
        init_reaps: bool = True,
        hidepid: bool = False,
    ) -> None:
        super().__init__(clock or FakeClock(), pid_max, CALLER, init_reaps)
        self.hidepid = hidepid
        # A machine of its own: a pidfile of another one names nobody here.
        self.origin = Origin(b"fake-" + os.urandom(8).hex().encode(), b"fake")
        self.launcher = self
        self.signals: list[Sent] = []
        self.events: list[Event] = []
        self.started: list[FakeProcess] = []
        self.programs = Programs()
        self.files = Files()
        self.patience = Patience(self)
        self.waiters = Waiters(self)
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
    ) -> FakeProcess:
        """Declare a process that runs from now on.

        exe: a path, looked up when compared, and on no disk needed; (device, inode); or
        None, cannot be read.
        uid: the owner, by number or by the name of an account of the real machine.
        pid: the next free one unless given. start_time: now, unless given, in hundredths of a
        second of the clock; negative for one that was there before.
        reactions: signal number -> what happens (``ssd.testing.reactions``); the kernel's
        defaults for all others.
        reaped_after: seconds as a zombie; None: until ``reap()`` or the parent's end.

        Raises ValueError if the pid is taken or none, BlockingIOError if all are, UnknownUser.
        """
        owner = uid_of(uid)
        self.files.declare(exe)
        with self.lock:
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
        """Have a start of any other path make a process that lives until it is signalled.

        Any executable that is asked for is there, then.
        """
        self.programs.allow_unregistered = allow

    def open(self, process: Process) -> Handle:
        """Hold a process. Raises ProcessLookupError if it is not there any more."""
        with self.lock:
            if not process.is_still(self.process(process.pid)):
                raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
            return FakeHandle(self, self._processes[process.pid], process)

    def now(self) -> float:
        """Return the time of the clock, in seconds."""
        return self.clock.now()

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Let time pass until one of ``handles`` has ended, at most to ``until``.

        Raises ValueError if there is nothing to wait for, WaitsForEver if it never comes.
        """
        if until is None and not handles:
            raise ValueError("nothing to wait for")
        self.patience.wait(lambda: any(each.ended() for each in handles), until, handles)

    async def wait_async(self, handles: Sequence[Handle], until: float | None) -> None:
        """Wait while an asyncio loop goes on; time jumps when all its tasks wait here."""
        await self.waiters.wait(handles, until)

    def launch(self, start: Start) -> Process:
        """Do a start without fork(2) and execve(2), see ``register``; ``Start`` asks for it."""
        return launching.launch(self, start)

    async def launch_async(self, start: Start) -> Process:
        """Do a start while an asyncio loop goes on; ``ssd.aio.start`` asks for it."""
        return await launching.launch_async(self, start)

    def executable(self, path: Path) -> tuple[int, int]:
        """Return device and inode of an executable.

        Of the file that has the path; else, if the path was declared, numbers of its own on
        device 0. Raises OSError if there is neither, with a note of what is registered.
        """
        try:
            return self.files.find(path)
        except OSError as error:
            if self.programs.allow_unregistered:
                self.files.declare(path)
                return self.files.find(path)
            error.add_note(self.programs.advice(path))
            raise

    def note(self, process: FakeProcess, what: str) -> None:
        """Put into the record what happens to a process."""
        self.events.append(record.event(self.now(), process, what))

    def timeline(self, last: int | None = None) -> str:
        """Return what happened, a line for each event (the ``last`` so many), and who is there."""
        there = [each for _, each in sorted(self._processes.items())]
        living = [each for each in there if each not in (self.init, self.caller)]
        before = 0 if last is None else max(0, len(self.events) - last)
        return record.timeline(self.events[before:], self.now(), living, before)

    def __repr__(self) -> str:
        return f"<FakeProcesses, {len(self._processes)} at {self.now():g} s>"

"""The programs of a fake machine, and how one is started.

A start looks, writes the pidfile and fails as a real one does (``ssd.starting``). Only the lock,
fork(2) and execve(2) are replaced: the process is a declared one. Pidfiles are real files.
"""

import asyncio
import errno
import os
from collections.abc import Mapping
from typing import Protocol

from ssd.accounts import changes
from ssd.children.child import STILL_RUNS, Child
from ssd.errors import AlreadyRunning, NotReady, StartFailed
from ssd.matching import Process
from ssd.pidfile import writing
from ssd.starting import Start
from ssd.starting.detach import remove_pidfile
from ssd.starting.variables import settle
from ssd.testing.clock import WaitsForEver, seconds_of
from ssd.testing.process import (
    STOPPED,
    ZOMBIE,
    Executable,
    FakeProcess,
    Machine,
    Reaction,
    checked,
    checked_all,
)

Path = str | bytes | os.PathLike[str]
PRIVILEGED = ("capabilities", "securebits")  # fields and stages that root alone may
UMASK = 0o022  # of declared callers: the umask of this process is not changed


class NotRegistered(KeyError):
    """A test asked for a program or pid that it has not declared; the text lists what it has."""

    def __str__(self) -> str:  # KeyError's would be in quotes
        return str(self.args[0])


class Program:
    """A program that processes can execute; see ``FakeProcesses.register``.

    ``processes`` are those that have executed it, oldest first.
    """

    def __init__(
        self,
        path: str,
        name: str | bytes | None = None,
        exe: Executable = None,
        reactions: Mapping[int, Reaction] | None = None,
        runs: Reaction | None = None,
        ready_after: float | None = None,
        fails: int | StartFailed = 0,
    ) -> None:
        self.path = path
        self.name = os.path.basename(path) if name is None else name
        self.exe = path if exe is None else exe
        self.reactions = checked_all(reactions or {})
        self.runs = runs if runs is None else checked(runs)
        self.ready_after = ready_after
        if ready_after is not None:
            seconds_of(ready_after, "ready_after")
        self.fails = fails
        self.processes: list[FakeProcess] = []

    def run(self, process: FakeProcess) -> None:
        """Have a process do what the program does when it is executed."""
        self.processes.append(process)
        if self.ready_after is not None:
            process.after(self.ready_after, lambda process: process.notify("READY=1"))
        if self.runs is not None:
            self.runs(process)

    def __repr__(self) -> str:
        return f"<Program {self.path}, executed {len(self.processes)} times>"


class Programs:
    """All programs of a machine, by their paths."""

    def __init__(self) -> None:
        self._known: dict[str, Program] = {}
        self.allow_unregistered = False

    def add(self, program: Program) -> Program:
        """Register a program. It replaces an older one with the same path."""
        self._known[program.path] = program
        return program

    def get(self, path: Path) -> Program | None:
        """Return the registered program of a path, or None."""
        return self._known.get(os.fsdecode(path))

    def find(self, path: Path) -> Program:
        """Return the program of a path. Raises NotRegistered, which names the registered ones."""
        name = os.fsdecode(path)
        if name not in self._known:
            if not self.allow_unregistered:
                raise NotRegistered(self.advice(path))
            self.add(Program(name))
        return self._known[name]

    def advice(self, path: Path) -> str:
        """Return what is registered, and what to do about a path that is not."""
        name, there = os.fsdecode(path), ", ".join(sorted(self._known)) or "nothing"
        return (
            f"nothing is registered for {name!r}; registered: {there}. "
            f"Declare it with register({name!r}), or any by allow_unregistered()."
        )


class Files:
    """The executables of a machine: those on disk, and those that were declared."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def declare(self, exe: Executable) -> None:
        """Add an executable to this machine, whether or not it is on disk."""
        if exe is not None and not isinstance(exe, tuple):
            self._numbers.setdefault(os.path.normpath(os.fsdecode(exe)), len(self._numbers) + 1)

    def find(self, path: Path) -> tuple[int, int]:
        """Return device and inode; see ``FakeProcesses.executable``."""
        try:
            facts = os.stat(path)
        except OSError:
            number = self._numbers.get(os.path.normpath(os.fsdecode(path)))
            if number is None:
                raise
            return 0, number
        return facts.st_dev, facts.st_ino


class StartingMachine(Machine, Protocol):
    """The members of FakeProcesses that only a start uses."""

    programs: Programs


class NoDescriptor(RuntimeError):
    """A declared process was asked for a descriptor, which cannot exist with a clock that jumps.

    It is not a ValueError, which the select module and asyncio would take for one of their own.
    """


class FakeChild(Child):
    """A declared process that a start has made the caller's child; see ``ssd.Child``.

    ``wait`` lets time pass until it has ended; so do ``table.wait`` and ``ssd.aio.wait``.
    ``declared`` is the process itself. It has no descriptor: see ``NoDescriptor``.
    """

    __slots__ = ("declared", "loop")

    def __init__(
        self, declared: FakeProcess, loop: "asyncio.AbstractEventLoop | None" = None
    ) -> None:
        """``loop`` is that of the task that has started it, if a task has."""
        super().__init__(declared.pid, declared.identity.start_time, [])
        self.declared = declared
        self.loop = loop

    def __del__(self) -> None:
        """Do nothing: a declared process holds nothing of the real machine."""

    def fileno(self) -> int:
        """Raise NoDescriptor, which says what to use instead."""
        raise NoDescriptor(
            f"{self!r} is a declared process, which has no descriptor. Wait by "
            "child.wait(timeout), table.wait([child, ...], until) or, in an asyncio loop, "
            "await ssd.aio.wait(child, timeout)"
        )

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, reap, and return the status; ``timeout`` is in the table's time.

        Raises TimeoutError, or WaitsForEver if there is no limit and the end never comes. Raises
        RuntimeError in another thread than that of the loop whose task has started the child.
        """
        self._refuse_beside_tasks()
        clock = self.declared.table.clock
        until = None if timeout is None else clock.now() + timeout
        clock.advance_until(lambda: self.declared.ended, until)
        return self._reaped(timeout)

    async def wait_async(self, timeout: float | None = None) -> int:
        """Do what ``wait`` does while an asyncio loop runs; ``ssd.aio.wait`` calls it."""
        table = self.declared.table
        until = None if timeout is None else table.now() + timeout
        await table.waiters.wait([self], until)
        return self._reaped(timeout)

    def poll(self) -> int | None:
        """Reap it if it has ended, and return its status; None if it runs."""
        if self.declared.ended:
            self.declared.reap()
            self.status = self.declared.status or 0
        return self.status

    def ended(self) -> bool:
        """Say whether it has ended, reaped or not."""
        return self.declared.ended

    def is_stopped(self) -> bool:
        """Say whether a signal has stopped it."""
        return self.declared.state == STOPPED

    def _reaped(self, timeout: float | None) -> int:
        """Return the status after a wait. Raises TimeoutError, and WaitsForEver without one."""
        status = self.poll()
        if status is not None:
            return status
        if timeout is None:
            raise WaitsForEver(f"no coming event ends {self.declared}")
        raise TimeoutError(STILL_RUNS.format(self, timeout))

    def _refuse_beside_tasks(self) -> None:
        """Raise RuntimeError in another thread than that of the child's running loop."""
        loop = self.loop
        if loop is None or not loop.is_running() or asyncio._get_running_loop() is loop:
            return
        raise RuntimeError(
            f"{self!r} was started by a task and is waited for in a thread: time would jump for "
            "the other tasks of the loop. Use: await ssd.aio.wait(child, timeout)"
        )

    def signal(self, signum: int) -> None:
        """Send a signal; it has no effect on a zombie."""
        if self.status is not None:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not self.declared.ended:
            with self.declared.table.open(self) as handle:
                handle.signal(signum)


def launch(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``Start.run`` does. Raises NotRegistered for an unknown program."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        start.say("awaiting", start.notify_timeout)
        until = table.now() + start.notify_timeout
        table.clock.advance_until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    return process.identity if start.background else FakeChild(process)


async def launch_async(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``launch`` does, while other tasks of the loop run."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        until = table.now() + start.notify_timeout
        await table.waiters.until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    loop = asyncio.get_running_loop()
    return process.identity if start.background else FakeChild(process, loop)


def _begin(table: StartingMachine, start: Start) -> FakeProcess:
    """Look, and make the process unless one runs already."""
    with table.clock.lock:  # a real start locks a file
        found = start.running()
        if found:
            raise AlreadyRunning(found)
        program = table.programs.find(start.command.startas)
        start.say("starting")
        if start.background:
            start.say("detaching")
        process = _make(table, start, program)
        if start.background:
            start.say("detached")
    return process


def _make(table: StartingMachine, start: Start, program: Program) -> FakeProcess:
    """Make the process, write its pidfile, and execute; undo all of it on a failure."""
    try:
        process = table.add(
            program.name,
            argv=[os.fsdecode(word) for word in start.command.argv],
            exe=program.exe,
            uid=table.caller_uid if start.account.uid is None else start.account.uid,
            ppid=1 if start.background else table.caller.pid,
            reactions=program.reactions,
            reaped_after=0.0 if start.background else None,
            environment=_environment(table, start),
            # The session is that of the process in the middle of the detachment, which has ended.
            **({"group": 0, "session": 0} if start.background else {}),
        )
    except BlockingIOError as error:
        raise StartFailed("fork", "", error.errno, error.strerror) from error
    process.command = start.command
    if start.new_session:
        process.group = process.session = process.pid
    written = None
    try:
        if start.pidfile is not None:
            mark = writing.mark_of(process.identity, table)
            written = writing.write(start.pidfile, process.pid, _umask(start), mark)
        _refuse(table, start, program)
    except BaseException:
        process.die(status=2)
        if process.state == ZOMBIE:
            process.reap()
        if written is not None:
            written.remove()
        raise
    finally:
        if written is not None:
            written.close()
    table.started.append(process)
    program.run(process)
    return process


def _environment(table: StartingMachine, start: Start) -> dict[str, str]:
    """Return the environment of the program, which is the caller's unless one is given."""
    given = start.command.environment
    if given is None and not vars(start.command):
        return table.caller.environment
    if given is None:
        own = table.caller.environment
        given = {os.fsencode(name): os.fsencode(text) for name, text in own.items()}
    variables = dict(given)
    settle(start.command, start.account, variables)
    return {os.fsdecode(key): os.fsdecode(value) for key, value in variables.items()}


def _umask(start: Start) -> int:
    """Return the umask of the pidfile, as in the two kinds of real starts."""
    given = start.command.umask
    return UMASK if start.background or given is None else given


def _refuse(table: StartingMachine, start: Start, program: Program) -> None:
    """Raise StartFailed if the kernel would refuse a step before the program runs."""
    command, account = start.command, start.account
    steps: list[tuple[str, str]] = []
    if command.nice < 0:
        steps.append(("nice", str(command.nice)))
    if (command.oom_score_adj or 0) < 0:
        steps.append(("oom", str(command.oom_score_adj)))
    if command.root is not None:
        steps.append(("chroot", os.fsdecode(command.root)))
    same_user = account.uid in (None, table.caller_uid)
    gid = account.gid if same_user and account.gid is not None else -1
    steps += [change[:2] for change in changes(account, table.caller_uid, gid)]
    steps += [(stage, getattr(command, stage)) for stage in PRIVILEGED if getattr(command, stage)]
    if steps and table.caller_uid != 0:
        raise StartFailed(*steps[0], errno.EPERM, os.strerror(errno.EPERM))
    if isinstance(program.fails, StartFailed):
        raise program.fails
    if program.fails:
        reason = os.strerror(program.fails)
        raise StartFailed("exec", os.fsdecode(command.startas), program.fails, reason)


def _check_ready(start: Start, process: FakeProcess, timeout: float) -> None:
    """Report that the program is ready. Raises NotReady, with the reason."""
    if process.ready:
        start.say("notified", "ready", 1)
    elif process.ended:
        remove_pidfile(start.pidfile, process.identity, start.warn)
        raise NotReady(process.identity, "exited")
    else:
        raise NotReady(process.identity, "timeout", None, f"{timeout:g}")

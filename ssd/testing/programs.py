"""The programs of a fake machine, and the start of one.

A start looks, takes the lock, writes the pidfile and fails as a real one does (``ssd.starting``).
Only fork(2) and execve(2) are replaced: the process is a declared one. Pidfiles are real files.
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
from ssd.testing.clock import WaitsForEver, seconds_of
from ssd.testing.process import (
    ZOMBIE,
    Executable,
    FakeProcess,
    Machine,
    Reaction,
    checked,
    checked_all,
)

Path = str | bytes | os.PathLike[str]
UMASK = 0o022  # of a caller whose own is not to be touched


class NotRegistered(KeyError):
    """A test asked for what it has not declared; the text says what there is."""

    def __str__(self) -> str:  # KeyError's would be in quotes
        return str(self.args[0])


class Program:
    """What a process is like that executes a path; see ``FakeProcesses.register``.

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
        """Have a process do what the program does at first."""
        self.processes.append(process)
        if self.ready_after is not None:
            process.after(self.ready_after, _say_ready)
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
        """Register a program, in place of an older one of the same path."""
        self._known[program.path] = program
        return program

    def get(self, path: Path) -> Program | None:
        """Return the program of a path if it is registered."""
        return self._known.get(os.fsdecode(path))

    def find(self, path: Path) -> Program:
        """Return the program of a path. Raises NotRegistered, which names those that are."""
        name = os.fsdecode(path)
        if name not in self._known:
            if not self.allow_unregistered:
                raise NotRegistered(self.advice(path))
            self.add(Program(name))
        return self._known[name]

    def advice(self, path: Path) -> str:
        """Return what to do about a path that is not registered, and what is."""
        name, there = os.fsdecode(path), ", ".join(sorted(self._known)) or "nothing"
        return (
            f"nothing is registered for {name!r}; registered: {there}. "
            f"Declare it with register({name!r}), or any by allow_unregistered()."
        )


class Files:
    """The executables of a machine: those of the disk, and those that were declared."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def declare(self, exe: Executable) -> None:
        """Have an executable on this machine, whether or not a disk has it."""
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
    """What a start needs of a table besides."""

    programs: Programs


class NoDescriptor(RuntimeError):
    """A declared process was asked for a descriptor to wait on: none tells of a time that jumps.

    No ValueError, which select(2)'s companions in the library take for one of their own.
    """


class FakeChild(Child):
    """A declared process that a start has made the caller's child; see ``ssd.Child``.

    ``wait`` lets time pass until it has ended; ``table.wait`` and ``ssd.aio.wait`` do, too.
    ``declared`` is the process itself. It has no descriptor: see ``NoDescriptor``.
    """

    __slots__ = ("declared", "loop")

    def __init__(
        self, declared: FakeProcess, loop: "asyncio.AbstractEventLoop | None" = None
    ) -> None:
        """``loop``: that of the task which has started it, if one has."""
        super().__init__(declared.pid, declared.identity.start_time, [])
        self.declared = declared
        self.loop = loop

    def __del__(self) -> None:
        """Do nothing: a declared process holds nothing of the real machine."""

    def fileno(self) -> int:
        """Raise NoDescriptor, which says what to use instead."""
        raise NoDescriptor(
            f"{self!r} is declared and has no descriptor to select by: its time jumps. Wait by "
            "child.wait(timeout), table.wait([child, ...], until) or, in an asyncio loop, "
            "await ssd.aio.wait(child, timeout)"
        )

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, reap, and return the status; ``timeout`` is in the table's time.

        Raises TimeoutError, or without a limit WaitsForEver if it never comes. Raises
        RuntimeError in a thread beside the loop whose task has started the child.
        """
        self._refuse_beside_tasks()
        clock = self.declared.table.clock
        until = None if timeout is None else clock.now() + timeout
        clock.advance_until(lambda: self.declared.ended, until)
        return self._reaped(timeout)

    async def wait_async(self, timeout: float | None = None) -> int:
        """Do what ``wait`` does while an asyncio loop goes on; ``ssd.aio.wait`` asks for it."""
        table = self.declared.table
        until = None if timeout is None else table.now() + timeout
        await table.waiters.wait([self], until)
        return self._reaped(timeout)

    def poll(self) -> int | None:
        """Reap it if it has ended, and return its status; else None."""
        if self.declared.ended:
            self.declared.reap()
            self.status = self.declared.status or 0
        return self.status

    def ended(self) -> bool:
        """Say whether it has ended, reaped or not."""
        return self.declared.ended

    def _reaped(self, timeout: float | None) -> int:
        """Return the status after a wait. Raises TimeoutError, and WaitsForEver without one."""
        status = self.poll()
        if status is not None:
            return status
        if timeout is None:
            raise WaitsForEver(f"nothing is to come that ends {self.declared}")
        raise TimeoutError(STILL_RUNS.format(self, timeout))

    def _refuse_beside_tasks(self) -> None:
        """Raise RuntimeError in a thread beside the loop whose tasks live in the same time."""
        loop = self.loop
        if loop is None or not loop.is_running() or asyncio._get_running_loop() is loop:
            return
        raise RuntimeError(
            f"{self!r} was started by a task and is waited for in a thread: time would jump under "
            "the other tasks of the loop. await ssd.aio.wait(child, timeout) instead"
        )

    def signal(self, signum: int) -> None:
        """Send a signal; to one that is not reaped yet it is no error."""
        if self.status is not None:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not self.declared.ended:
            with self.declared.table.open(self) as handle:
                handle.signal(signum)


def launch(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``Start.run`` would. Raises NotRegistered for an unknown program."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        start.say("awaiting", start.notify_timeout)
        until = table.now() + start.notify_timeout
        table.clock.advance_until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    return process.identity if start.background else FakeChild(process)


async def launch_async(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``launch`` does, and let other tasks of the loop go on meanwhile."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        until = table.now() + start.notify_timeout
        await table.waiters.until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    loop = asyncio.get_running_loop()
    return process.identity if start.background else FakeChild(process, loop)


def _begin(table: StartingMachine, start: Start) -> FakeProcess:
    """Look, refuse, and make the process."""
    with table.clock.lock:  # that of a real start is a file's
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
    """Make the process, write its pidfile, and execute; take all of it back on a failure."""
    try:
        process = table.add(
            program.name,
            argv=[os.fsdecode(word) for word in start.command.argv],
            exe=program.exe,
            uid=table.caller_uid if start.account.uid is None else start.account.uid,
            ppid=1 if start.background else table.caller.pid,
            reactions=program.reactions,
            reaped_after=0.0 if start.background else None,
        )
    except BlockingIOError as error:
        raise StartFailed("fork", "", error.errno, error.strerror) from error
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


def _umask(start: Start) -> int:
    """Return the umask of the pidfile, as the two kinds of starts have it."""
    given = start.command.umask
    return UMASK if start.background or given is None else given


def _refuse(table: StartingMachine, start: Start, program: Program) -> None:
    """Raise StartFailed where the kernel would refuse a step on the way to the program."""
    command, account = start.command, start.account
    steps: list[tuple[str, str]] = []
    if command.nice < 0:
        steps.append(("nice", str(command.nice)))
    if command.root is not None:
        steps.append(("chroot", os.fsdecode(command.root)))
    same_user = account.uid in (None, table.caller_uid)
    gid = account.gid if same_user and account.gid is not None else -1
    steps += [change[:2] for change in changes(account, table.caller_uid, gid)]
    if steps and table.caller_uid != 0:
        raise StartFailed(*steps[0], errno.EPERM, os.strerror(errno.EPERM))
    if isinstance(program.fails, StartFailed):
        raise program.fails
    if program.fails:
        reason = os.strerror(program.fails)
        raise StartFailed("exec", os.fsdecode(command.startas), program.fails, reason)


def _check_ready(start: Start, process: FakeProcess, timeout: float) -> None:
    """Say that the program has said READY=1. Raises NotReady, with the reason."""
    if process.ready:
        start.say("notified", "ready", 1)
    elif process.ended:
        remove_pidfile(start.pidfile, process.identity, start.warn)
        raise NotReady(process.identity, "exited")
    else:
        raise NotReady(process.identity, "timeout", None, f"{timeout:g}")


def _say_ready(process: FakeProcess) -> None:
    process.ready = True
    process.table.note(process, "says READY=1")

"""The programs of a fake machine, and how one is started.

A start looks, writes the pidfile and fails as a real one does (``ssd.starting``). Only the lock,
fork(2) and execve(2) are replaced: the process is a declared one. Pidfiles are real files.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from ssd.accounts import changes
from ssd.errors import AlreadyRunning, NotReady, StartFailed
from ssd.matching import Process
from ssd.pidfile import writing
from ssd.processes import markers
from ssd.starting import Start
from ssd.starting.leftovers import remove_pidfile
from ssd.starting.living import ended_early
from ssd.starting.printed import Printed
from ssd.starting.rare.variables import settle
from ssd.testing.children import FakeChild
from ssd.testing.clock import seconds_of
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
PRIVILEGED = ("capabilities", "securebits")  # fields and stages that root alone may
Waits = Iterator[tuple[Callable[[], bool], float]]
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
        interpreter: str | None = None,
    ) -> None:
        self.path = path
        self.interpreter = interpreter
        self.name = os.path.basename(path) if name is None else name
        program = path if interpreter is None else interpreter.split()[0]
        self.exe = program if exe is None else exe
        self.reactions = checked_all(reactions or {})
        self.runs = runs if runs is None else checked(runs)
        self.ready_after = ready_after
        if ready_after is not None:
            seconds_of(ready_after, "ready_after")
        self.fails = fails
        self.processes: list[FakeProcess] = []

    def words(self, argv: Sequence[str]) -> list[str]:
        """Return the command line of its processes: a script is an argument of its interpreter."""
        if self.interpreter is None:
            return list(argv)
        return [*self.interpreter.split(None, 1), self.path, *argv[1:]]

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

    def all(self) -> Iterable[Program]:
        """Return the registered programs."""
        return self._known.values()

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


def launch(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``Start.run`` does. Raises NotRegistered for an unknown program."""
    process, waits = _begin_and_wait(table, start)
    for came, until in waits:
        table.clock.advance_until(came, until)
    return process.identity if start.background else FakeChild(process)


async def launch_async(table: StartingMachine, start: Start) -> Process:
    """Do a start as ``launch`` does, while other tasks of the loop run."""
    process, waits = _begin_and_wait(table, start)
    for came, until in waits:
        await table.waiters.until(came, until)
    loop = asyncio.get_running_loop()
    return process.identity if start.background else FakeChild(process, loop)


def _begin_and_wait(table: StartingMachine, start: Start) -> tuple[FakeProcess, Waits]:
    """Begin a start; return its process, and what it waits for: conditions and time limits."""
    printed = Printed(start.command, start.account.uid)
    process = _begin(table, start)
    return process, _waits(table, start, process, printed) if start.background else iter(())


def _waits(table: StartingMachine, start: Start, process: FakeProcess, printed: Printed) -> Waits:
    """Yield what a start in the background waits for. Raises NotReady and EndedEarly."""
    since = table.now()
    if start.notify_timeout is not None:
        start.say("awaiting", start.notify_timeout)
        yield lambda: process.ready or process.ended, since + start.notify_timeout
        if process.ended and not process.ready:
            _check_living(table, start, process, printed, since)
        _check_ready(start, process, start.notify_timeout)
    if start.wait is not None and table.now() < since + start.wait:
        yield lambda: process.ended, since + start.wait
        _check_living(table, start, process, printed, since)


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
            argv=program.words([os.fsdecode(word) for word in start.command.argv]),
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
    if start.command.tree:
        marker = markers.value(process.pid, [*map(os.fsencode, process.argv)])
        process.environment[os.fsdecode(markers.VARIABLE)] = marker.decode()
    process.directory = os.fsdecode(start.command.directory)
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


def _check_living(
    table: StartingMachine, start: Start, process: FakeProcess, printed: Printed, since: float
) -> None:
    """Raise EndedEarly if the process has ended within the time that it had to live."""
    seconds = table.now() - since
    if start.wait is None or not process.ended or seconds > start.wait:
        return
    remove_pidfile(start.pidfile, process.identity, start.warn)
    program = os.path.basename(os.fsdecode(start.command.argv[0]))
    raise ended_early(process.identity, seconds, process.status, program, start.wait, printed)

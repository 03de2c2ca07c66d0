"""A start on declared processes: what ``ssd.starting`` does with fork(2) and execve(2).

Look, lock, pidfile and every failure are those of a real start; only the process is a
declared one. Pidfiles are real files.
"""

import asyncio
import errno
import os

from ssd.accounts import changes
from ssd.children.child import STILL_RUNS, Child
from ssd.errors import AlreadyRunning, NotReady, StartFailed
from ssd.matching import Process
from ssd.pidfile import writing
from ssd.starting import Start
from ssd.starting.detach import remove_pidfile
from ssd.testing.clock import WaitsForEver
from ssd.testing.process import ZOMBIE, FakeProcess
from ssd.testing.programs import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.fake import FakeProcesses

UMASK = 0o022  # of a caller whose own is not to be touched


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


def launch(table: "FakeProcesses", start: Start) -> Process:
    """Do a start as ``Start.run`` would. Raises NotRegistered for an unknown program."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        start.say("awaiting", start.notify_timeout)
        until = table.now() + start.notify_timeout
        table.clock.advance_until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    return process.identity if start.background else FakeChild(process)


async def launch_async(table: "FakeProcesses", start: Start) -> Process:
    """Do a start as ``launch`` does, and let other tasks of the loop go on meanwhile."""
    process = _begin(table, start)
    if start.background and start.notify_timeout is not None:
        until = table.now() + start.notify_timeout
        await table.waiters.until(lambda: process.ready or process.ended, until)
        _check_ready(start, process, start.notify_timeout)
    loop = asyncio.get_running_loop()
    return process.identity if start.background else FakeChild(process, loop)


def _begin(table: "FakeProcesses", start: Start) -> FakeProcess:
    """Look, refuse, and make the process."""
    with table.lock:  # that of a real start is a file's
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


def _make(table: "FakeProcesses", start: Start, program: Program) -> FakeProcess:
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


def _refuse(table: "FakeProcesses", start: Start, program: Program) -> None:
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

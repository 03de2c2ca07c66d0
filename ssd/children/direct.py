"""Start a child without a helper: by fork_exec, the part of subprocess that is written in C.

It may fork a process with threads, because the child makes only system calls. It can set a
directory, a user with groups, a umask, a session, an environment and descriptors. Anything else
in a Command needs a helper (``ssd.children.helper``), and so does the exact stage of a failure
before execve(2).

subprocess.Popen itself is not used: it may lose a child if a signal handler raises, and keeps
lists of its own. One property is the same: with another user or group, fork_exec uses fork(2),
not vfork(2). A signal to the process group in the millisecond before execve(2) then runs the
caller's handlers in the child instead of reaching the program.
"""

import errno
import sys
from copy import copy
from functools import partial
from time import monotonic, sleep

from ssd import environment
from ssd.children.helper import is_open
from ssd.errors import AlreadyRunning, StartBlocked, StartFailed
from ssd.matching import Process
from ssd.pidfile import locking
from ssd.pidfile.lock_waiting import LOCK_TIMEOUT, POLL_INTERVAL
from ssd.processes.linux import LinuxTable
from ssd.signals import raw as signals
from ssd.starting import Start, report
from ssd.starting.become import home
from ssd.starting.command import has_rare_steps
from ssd.starting.fork_exec import GROUP, VFORK, identity_changes, raise_reported, start_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ssd.children.spawning import Spawned
    from ssd.matching import Criteria, Match
    from ssd.processes.contract import ProcessTable
    from ssd.starting.become import Warn
    from ssd.starting.command import Command
    from ssd.starting.fork_exec import Ids

    Stdio = tuple[int, int, int]

ISOLATED = "subinterpreter"  # in the RuntimeError: it may not fork, but can spawn (PEP 684)
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)
# In C only: no signal handler runs between the call and its effect.
_block = partial(signals.pthread_sigmask, signals.SIG_BLOCK, signals.valid_signals())
_unblock = partial(signals.pthread_sigmask, signals.SIG_SETMASK, ())


def suits(command: "Command", table: "ProcessTable | None") -> bool:
    """Return whether this thread can start such a child without a helper."""
    more = command.nice or command.root is not None
    return (
        sys.platform == "linux"
        and not more
        and not has_rare_steps(command)
        and (table is None or type(table) is LinuxTable)
        and not signals.pthread_sigmask(signals.SIG_BLOCK, ())  # the program's must be empty
    )


def start(
    spawned: "Spawned",
    match: "Match",
    command: "Command",
    stdio: "Stdio",
    new_session: bool,
    warn: "Warn",
) -> Process | None:
    """Start a child under the lock of a start; return it, or None if it needs a helper.

    Raises what ``ssd.starting.Start.run`` does.
    """
    # First: a file that is opened later may get the number of a closed standard descriptor.
    fds = [fd if is_open(fd) else -1 for fd in stdio]
    if any(fd == -1 and stdio[target] != target for target, fd in enumerate(fds)):
        return None  # an open one must be closed in the child
    try:
        start = Start(
            match,
            copy(command),  # a start may change its own
            background=False,
            make_pidfile=False,
            warn=warn,
            say=lambda *event: None,
            table=TableWithCaller(),
        )
        ids = identity_changes(start.account)
        if ids is None:
            return None
        locked = _LockedLook(start, warn)
        try:
            locked.wait(spawned)
            return _fork(spawned, start, ids, fds, new_session)
        finally:
            try:
                _block()  # blocks even if a handler raises
            finally:
                try:
                    locked.give_back()
                finally:
                    _unblock()
    except OSError as error:  # for example, no descriptor is left for the look
        raise StartFailed("fork", "", error.errno, error.strerror) from error


class TableWithCaller(LinuxTable):
    """The kernel's table as a helper sees it: the caller itself may match."""

    def _matching(self, criteria: "Criteria") -> "Generator[Process, None, None]":
        """Yield all processes that meet the criteria."""
        for entry in self._candidates(criteria):
            process = self._look(entry, criteria)
            if process is not None:
                yield process


class _LockedLook:
    """The lock against concurrent starts, and the look under it."""

    def __init__(self, start: Start, warn: "Warn") -> None:
        self._start = start
        self._warn = warn
        self._lock: locking.Lock | None = None
        self._found: list[Process] = []

    def wait(self, spawned: "Spawned") -> None:
        """Take the lock as soon as it is free, and look; continue without one if none is possible.

        Raises AlreadyRunning, StartBlocked, Unwanted, and OSError if descriptors run out.
        """
        until = monotonic() + LOCK_TIMEOUT
        while True:
            try:
                _undisturbed(self._take)
                break
            except StartBlocked as blocked:
                if monotonic() >= until:
                    raise StartBlocked(blocked.path, LOCK_TIMEOUT) from None
            sleep(POLL_INTERVAL)
            spawned.check_wanted()
        if self._found:
            raise AlreadyRunning(self._found)

    def give_back(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.release()

    def _take(self) -> None:
        """Take the lock if it is free, and look."""
        try:
            self._lock = locking.acquire(self._start.match, self._start.criteria, 0)
        except locking.NoLock as fault:
            cause = fault.__cause__
            if isinstance(cause, OSError) and cause.errno in _NO_DESCRIPTORS:
                raise cause from fault
            self._warn("lock", fault.path, fault.reason)
        self._found = self._start.running()


def _undisturbed(work: "Callable[[], None]") -> None:
    """Work with all signals blocked: a handler that raises would lose what the work opens.

    Only for a thread that blocks no signal (``suits``). If there are other threads, one of them may
    take the signal, and its handler still runs in this one.
    """
    try:
        _block()
        work()
    finally:
        _unblock()


def _fork(
    spawned: "Spawned", start: Start, ids: "Ids", fds: list[int], new_session: bool
) -> Process | None:
    """Fork and execute; return None if that failed at a stage that fork_exec does not report.

    ``fds``: the standard descriptors of the child; -1 is a closed one.
    """
    reading, writing = spawned.pipe()
    gid, groups, uid = ids
    read, out, err = fds
    command = start.command
    given = environment.inherited() if command.environment is None else dict(command.environment)
    given.update(home(start.account))
    umask = -1 if command.umask is None else command.umask
    arguments = (
        command.argv, [command.startas], True, (writing,), command.directory,
        [name + b"=" + value for name, value in given.items()],
        read, -1, -1, out, -1, err, reading, writing,
        True, new_session, *GROUP, gid, groups, uid, umask, None,
    )  # fmt: skip
    pid = _spawn(spawned, arguments)
    if pid is None:
        return None
    spawned.close(writing)
    while spawned.read(reading):
        pass  # the child's copy closes when it is executed or has failed
    if not spawned.data:
        return _arrived(pid, start)
    spawned.reap()
    raise_reported(spawned.data, command)
    return None


def _spawn(spawned: "Spawned", arguments: tuple[object, ...]) -> int | None:
    """Make the child by fork_exec; return its pid, or None if this Python's is unknown to us."""
    try:
        from _posixsubprocess import fork_exec
    except ImportError:
        return None
    # With the flag that allows vfork(2), if this Python has it, or else without.
    for more in dict.fromkeys((VFORK, ())):
        try:
            return spawned.spawn(fork_exec, *arguments, *more)
        except (TypeError, RuntimeError) as error:
            # It may also come from a signal handler of the caller.
            if spawned.pids or not (isinstance(error, TypeError) or ISOLATED in str(error)):
                raise
            continue  # other arguments, or no fork allowed here: nothing was done
    return None


def _arrived(pid: int, start: Start) -> Process:
    """Return the child that has just been executed."""
    found: list[Process] = []

    def look() -> None:
        found.append(report.after_exec(Process(pid, start_time(pid)), start.table))

    _undisturbed(look)
    return found[0]

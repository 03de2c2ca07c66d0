"""A start of a child without a helper: by fork_exec, the half of subprocess that is written in C.

It may fork a process with threads, because it does nothing in the child but system calls. What it
can do is a directory, a user with groups, a umask, a session, an environment and descriptors;
what else a Command may ask for needs a helper (``ssd.children.helper``), and so does the exact
stage of a failure before execve(2).

subprocess.Popen itself is not used: it may lose a child to a signal handler that raises, and keeps
lists of its own. One thing is as it has it: with another user or group fork_exec uses
fork(2), not vfork(2). What the process group is sent in the millisecond before execve(2) is taken
by the caller's handlers in the child then, and not by the program.
"""

import errno
import os
import sys
from copy import copy
from functools import partial
from time import monotonic, sleep

from ssd import accounts, environment
from ssd.children.helper import is_open
from ssd.errors import AlreadyRunning, StartBlocked, StartFailed
from ssd.matching import UNKNOWN_START, Process
from ssd.pidfile import locking
from ssd.pidfile.lock_waiting import LOCK_TIMEOUT, POLL_INTERVAL
from ssd.processes.linux import LinuxTable
from ssd.signals import raw as signals
from ssd.starting import Start, report
from ssd.starting.become import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ssd.children.spawning import Spawned
    from ssd.matching import Criteria, Match
    from ssd.processes.contract import ProcessTable
    from ssd.starting.become import Warn
    from ssd.starting.command import Command

    Stdio = tuple[int, int, int]
    Ids = tuple[int | None, list[int] | None, int | None]  # group, groups, user

ISOLATED = "subinterpreter"  # which may not fork, says a RuntimeError, but can spawn (PEP 684)
_FULL = (errno.EMFILE, errno.ENFILE)
KEEP: "Ids" = (None, None, None)
# Of C alone: no handler runs between the call and what it does.
_block = partial(signals.pthread_sigmask, signals.SIG_BLOCK, signals.valid_signals())
_unblock = partial(signals.pthread_sigmask, signals.SIG_SETMASK, ())


def suits(command: "Command", table: "ProcessTable | None") -> bool:
    """Say whether a child can be started in this way, by this thread."""
    more = command.nice or command.limits or command.root is not None
    scheduling = command.cpu_scheduling is not None or command.io_scheduling is not None
    return (
        sys.platform == "linux"
        and not more
        and not scheduling
        and (table is None or type(table) is LinuxTable)
        and not signals.pthread_sigmask(signals.SIG_BLOCK, ())  # the program's is to be empty
    )


def start(
    spawned: "Spawned",
    match: "Match",
    command: "Command",
    stdio: "Stdio",
    new_session: bool,
    warn: "Warn",
) -> Process | None:
    """Start a child under the lock of a start; return it, None if a helper must do it.

    Raises what ``ssd.starting.Start.run`` does.
    """
    # Before anything is opened, which may get the number of a standard one that is closed.
    fds = [fd if is_open(fd) else -1 for fd in stdio]
    if any(fd == -1 and stdio[target] != target for target, fd in enumerate(fds)):
        return None  # it is to close one that is open
    try:
        start = Start(
            match,
            copy(command),  # a start may change its own
            background=False,
            make_pidfile=False,
            warn=warn,
            say=lambda *event: None,
            table=Everybody(),
        )
        ids = _ids(start.account)
        if ids is None:
            return None
        turn = _Turn(start, warn)
        try:
            turn.wait(spawned)
            return _fork(spawned, start, ids, fds, new_session)
        finally:
            try:
                _block()  # raises what a handler raises, and has blocked all the same
            finally:
                try:
                    turn.give_back()
                finally:
                    _unblock()
    except OSError as error:  # no descriptor is left to look with, say
        raise StartFailed("fork", "", error.errno, error.strerror) from error


class Everybody(LinuxTable):
    """The kernel's table as a helper sees it, which is not the caller: he may be what is meant."""

    def _matching(self, criteria: "Criteria") -> "Generator[Process, None, None]":
        """Yield all processes that meet the criteria."""
        for entry in self._candidates(criteria):
            process = self._look(entry, criteria)
            if process is not None:
                yield process


class _Turn:
    """The lock against other starts of the same, and the look under it."""

    def __init__(self, start: Start, warn: "Warn") -> None:
        self._start = start
        self._warn = warn
        self._lock: locking.Lock | None = None
        self._found: list[Process] = []

    def wait(self, spawned: "Spawned") -> None:
        """Take the lock as soon as it is free, and look; go on without where none can be had.

        Raises AlreadyRunning, StartBlocked and Unwanted, and OSError without descriptors.
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
            if isinstance(cause, OSError) and cause.errno in _FULL:
                raise cause from fault
            self._warn("lock", fault.path, fault.reason)
        self._found = self._start.running()


def _undisturbed(work: "Callable[[], None]") -> None:
    """Do some work with all signals blocked: a handler that raises would lose what it opens.

    Only for a thread that blocks none (``suits``). Where there are other threads one of them may
    take the signal, and the handler run here all the same.
    """
    try:
        _block()
        work()
    finally:
        _unblock()


def _ids(who: accounts.Account) -> "Ids | None":
    """Return what to make of the group, the groups and the user; None if a helper must do it.

    As ``ssd.accounts`` does: root changes all ids, real, effective and saved, by
    setreuid(2) and its like. That there is no way back cannot be tried in the child; it follows
    where no capability outlives the change and execve(2) (capabilities(7)).
    """
    own = accounts.own()
    stages = {stage for stage, _, _, _ in accounts.changes(who, *own)}
    if not stages:
        return KEEP
    if own[0] != 0 or _keeps_capabilities():
        return None
    groups = None
    if "groups" in stages and who.user is not None and who.gid is not None:
        groups = os.getgrouplist(who.user, who.gid)
    return (
        who.gid if "group" in stages else None,
        groups,
        who.uid if "user" in stages else None,
    )


def _keeps_capabilities() -> bool:
    """Say whether this thread has inheritable or ambient capabilities, or may have."""
    try:
        with open("/proc/thread-self/status", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return True
    kept = [line.split()[1] for line in lines if line.startswith((b"CapInh:", b"CapAmb:"))]
    return len(kept) != 2 or any(int(bits, 16) for bits in kept)


def _fork(
    spawned: "Spawned", start: Start, ids: "Ids", fds: list[int], new_session: bool
) -> Process | None:
    """Fork and execute; None where that has failed at a stage which it does not tell.

    ``fds``: what become the standard descriptors; -1 is one that is closed.
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
        True, new_session, -1, gid, groups, uid, umask, None,
    )  # fmt: skip
    pid = _spawn(spawned, arguments)
    if pid is None:
        return None
    spawned.close(writing)
    while spawned.read(reading):
        pass  # to its end, which is that of the pipe in the child: it is executed, or has failed
    if not spawned.said:
        return _arrived(pid, start)
    spawned.reap()
    _fail(spawned.said, command)
    return None


def _spawn(spawned: "Spawned", arguments: tuple[object, ...]) -> int | None:
    """Have fork_exec make the child; return its pid, None if this Python has none that we know."""
    try:
        from _posixsubprocess import fork_exec
    except ImportError:
        return None
    for more in ((True,), ()):  # whether vfork(2) is allowed, or a Python that does not ask
        try:
            return spawned.spawn(fork_exec, *arguments, *more)
        except (TypeError, RuntimeError) as error:
            # Or it is what a handler of the caller's raises.
            if spawned.pids or not (isinstance(error, TypeError) or ISOLATED in str(error)):
                raise
            continue  # it takes something else, or may not fork here, and has done nothing
    return None


def _fail(said: bytes, command: "Command") -> None:
    """Raise what the child says has kept it from execve(2); return where the stage is open."""
    kind, number, where = (*said.split(b":", 2), b"", b"")[:3]
    if kind != b"OSError" or where.startswith(b"noexec"):
        return
    code = int(number, 16)
    raise StartFailed("exec", os.fsdecode(command.startas), code, os.strerror(code))


def _arrived(pid: int, start: Start) -> Process:
    """Return a child that has just been executed."""
    found: list[Process] = []

    def look() -> None:
        found.append(report.after_exec(Process(pid, _start_time(pid)), start.table))

    _undisturbed(look)
    return found[0]


def _start_time(pid: int) -> int:
    """Return the start time of a child (field 22 of /proc/PID/stat), a zombie's too."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return UNKNOWN_START  # no /proc, or another reaper was quicker
    return int(stat[stat.rindex(b")") + 2 :].split(b" ", 20)[19])

"""lockfile's PIDLockFile made safe, for ``daemon.DaemonContext(pidfile=...)``.

lockfile's own tests only whether the file exists: it stays locked for ever after a SIGKILL
and has a moment with an empty file. This one has its interface and keeps its promise.
"""

import os
from math import inf

from lockfile import AlreadyLocked, LockFailed, LockTimeout, NotLocked, NotMyLock

from ssd import pidfile
from ssd.errors import Error, StartBlocked
from ssd.finding import resolve
from ssd.matching import UNKNOWN_START, Match
from ssd.pidfile import locking, writing
from ssd.processes import default_table
from ssd.validation import demand_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from ssd.processes.contract import ProcessTable

    class _PIDLockFile:
        """The part of lockfile's, which has no types, that ours leaves as it is."""

        path: str
        timeout: float | None

        def __init__(self, path: str, threaded: bool, timeout: float | None) -> None: ...
        def __enter__(self) -> Self: ...
        def __exit__(self, *_exc: object) -> None: ...
else:
    from lockfile.pidlockfile import PIDLockFile as _PIDLockFile

MIN_LOCK_TIMEOUT = 0.5  # seconds; a start holds the kernel lock for a few hundredths of one
RELEASE_POLL_INTERVAL = 0.1  # seconds, as in lockfile


class PIDLockFile(_PIDLockFile):
    """A pidfile that locks: held as long as the process in it runs.

    The text is the owner's pid. Which process that is says a mark beside it
    (``ssd.pidfile.marks``): an owner that has ended, however it ended, holds nothing. Where the
    file system has no attributes, whoever has the pid of a dead owner by now holds the lock:
    nobody gets it wrongly. A file with a start time in its second line, as older versions wrote, is
    understood. Two processes that try at the same moment
    are kept apart by a kernel lock. The file is never empty: it appears whole, by a rename.
    Questions about a file that somebody else could have written raise PidfileUnsafe.
    ``table`` is where owners are looked for, the system's own unless given.
    """

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        threaded: bool = False,
        timeout: float | None = None,
        *,
        table: "ProcessTable | None" = None,
    ) -> None:
        super().__init__(os.fspath(path), threaded, timeout)
        demand_table(table)
        self._table = table or default_table()

    def read_pid(self) -> int | None:
        """Return the pid in the file; None if there is no file or it holds none."""
        try:
            return pidfile.read(self.path, alone=False)
        except FileNotFoundError:
            return None

    def is_locked(self) -> bool:
        """Tell whether the process in the file runs and is the one that wrote it."""
        return self._owner() is not None

    def i_am_locking(self) -> bool:
        """Tell whether the file is this process's own."""
        return self._owner() == self._table.own_pid()

    def acquire(self, timeout: float | None = None) -> None:
        """Write this process into the file.

        ``timeout``: seconds to wait for the owner to end or to release; None (or the
        constructor's) or 0 and less not at all, as lockfile's PIDLockFile has it; infinity for
        ever. Raises AlreadyLocked, which names the owner, if it is not to wait, LockTimeout at
        the end of the time, and LockFailed if the file can be neither believed nor written.
        """
        given = self.timeout if timeout is None else timeout
        limit = 0.0 if given is None else given
        until = None if limit == inf else self._table.now() + limit
        while not self._try_or_fail(until):
            if limit <= 0:
                raise AlreadyLocked(f"{self.path} is already locked{self._by()}")
            if until is not None and self._table.now() >= until:
                raise LockTimeout(f"Timeout waiting to acquire lock for {self.path}{self._by()}")
            self._await_owner(until)

    def release(self) -> None:
        """Remove the file. Raises NotLocked or NotMyLock if there is nothing to release."""
        owner = self._owner()
        if owner is None:
            raise NotLocked(f"{self.path} is not locked")
        if owner != self._table.own_pid():
            raise NotMyLock(f"{self.path} is locked, but not by me{self._by()}")
        pidfile.remove(self.path)

    def break_lock(self) -> None:
        """Remove the file, whoever holds it."""
        pidfile.remove(self.path)

    def _try_or_fail(self, until: float | None) -> bool:
        """Try, and tell of a failure in lockfile's terms."""
        try:
            return self._try(until)
        except StartBlocked:
            return False  # somebody is about to take it, and does not get on with it
        except Error as error:
            raise LockFailed(str(error)) from error

    def _try(self, until: float | None) -> bool:
        """Write the file unless its owner runs; the kernel lock covers look and write."""
        match = Match(pidfile=self.path)
        # Who has the kernel lock looks and writes, which takes no time; even a caller that is
        # not to wait for an owner waits so long.
        seconds = inf if until is None else max(MIN_LOCK_TIMEOUT, until - self._table.now())
        try:
            lock = locking.acquire(match, resolve(match), seconds)
        except locking.NoLock as fault:
            raise LockFailed(f"{fault.path}: {fault.reason}") from fault
        try:
            if self._owner() is not None:
                return False
            own = self._table.own_pid()  # anew: python-daemon forks between the making and the use
            mark = writing.mark_of(self._table.process(own), self._table)
            written = writing.write(self.path, own, _umask(), mark)
            if written is not None:
                written.close()
            return True
        finally:
            if lock is not None:
                lock.release()

    def _by(self) -> str:
        """Name the owner, as the end of a sentence."""
        owner = self._owner()
        return "" if owner is None else f", by process {owner}"

    def _owner(self) -> int | None:
        """Return the pid of the running owner."""
        try:
            entry = pidfile.load(os.fsencode(self.path), alone=False)
        except FileNotFoundError:
            return None
        if entry is None or entry.pid is None:
            return None
        process = self._table.process(entry.pid)
        if process is None or not entry.means(process, self._table):
            return None
        known = process.start_time != UNKNOWN_START  # else it hides itself (proc(5), hidepid)
        if known and entry.started not in (None, process.start_time):
            return None
        return process.pid

    def _await_owner(self, until: float | None) -> None:
        """Wait until the owner ends, which its pidfd tells, or it is time to look again.

        A release is the removal of a file, of which no descriptor tells.
        """
        owner = self._owner()
        process = None if owner is None else self._table.process(owner)
        if process is None:
            return
        try:
            with self._table.open(process) as handle:
                look = None  # declared processes release nothing while we wait
                if self._table.launcher is None:
                    look = self._table.now() + RELEASE_POLL_INTERVAL
                limits = [limit for limit in (until, look) if limit is not None]
                self._table.wait([handle], min(limits, default=None))
        except ProcessLookupError:
            return


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1], 8) for line in file if line.startswith("Umask:"))
    except (OSError, StopIteration):
        return 0o022

"""A safe replacement of lockfile's PIDLockFile, for ``daemon.DaemonContext(pidfile=...)``.

lockfile's own only checks whether the file exists, so it stays locked for ever after a SIGKILL,
and the file is empty for a moment. This one has the same interface without these defects.
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
        """The part of lockfile's class that is used unchanged; lockfile has no types."""

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
    """A pidfile that is a lock, held as long as the process in it runs.

    The text is the owner's pid. A mark (``ssd.pidfile.marks``) identifies the owner's process, so
    the lock is free as soon as the owner has ended in any way. Without extended attributes, a
    process that reuses the pid of a dead owner counts as the owner: the lock is never held twice.
    A start time in the second line, as written by older versions, is still read.

    A kernel lock serializes concurrent attempts. The file appears complete, by a rename. Reading a
    file that other users could have written raises PidfileUnsafe. ``table``: the process table to
    find owners in, the system's own by default.
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
        """Return the pid in the file, None without a file or a valid pid."""
        try:
            return pidfile.read(self.path, sole_criterion=False)
        except FileNotFoundError:
            return None

    def is_locked(self) -> bool:
        """Return whether the process in the file runs and is the one that wrote it."""
        return self._owner() is not None

    def i_am_locking(self) -> bool:
        """Return whether this process holds the lock."""
        return self._owner() == self._table.own_pid()

    def acquire(self, timeout: float | None = None) -> None:
        """Write this process into the file.

        ``timeout``: seconds to wait for the owner to end or release. None means the constructor's
        value. As in lockfile, a second None, 0 and less do not wait; infinity waits for ever.
        Raises AlreadyLocked if it does not wait and LockTimeout when the time is up (both name the
        owner), and LockFailed if the file is unsafe or cannot be written.
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
        """Remove the file. Raises NotLocked and NotMyLock."""
        owner = self._owner()
        if owner is None:
            raise NotLocked(f"{self.path} is not locked")
        if owner != self._table.own_pid():
            raise NotMyLock(f"{self.path} is locked, but not by this process{self._by()}")
        pidfile.remove(self.path)

    def break_lock(self) -> None:
        """Remove the file, even if another process holds the lock."""
        pidfile.remove(self.path)

    def _try_or_fail(self, until: float | None) -> bool:
        """Try once. Raises LockFailed, as lockfile does, instead of our own errors."""
        try:
            return self._try(until)
        except StartBlocked:
            return False  # another process is taking it
        except Error as error:
            raise LockFailed(str(error)) from error

    def _try(self, until: float | None) -> bool:
        """Write the file unless its owner runs; the kernel lock covers look and write."""
        match = Match(pidfile=self.path)
        # The kernel lock is held only for a look and a write, so even a caller that does not wait
        # for an owner waits for that.
        seconds = inf if until is None else max(MIN_LOCK_TIMEOUT, until - self._table.now())
        try:
            lock = locking.acquire(match, resolve(match), seconds)
        except locking.NoLock as error:
            raise LockFailed(f"{error.path}: {error.reason}") from error
        try:
            if self._owner() is not None:
                return False
            own = self._table.own_pid()  # each time: python-daemon forks after the lock is made
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
            entry = pidfile.load(os.fsencode(self.path), sole_criterion=False)
        except FileNotFoundError:
            return None
        if entry is None or entry.pid is None:
            return None
        process = self._table.process(entry.pid)
        if process is None or not entry.means(process, self._table):
            return None
        known = process.start_time != UNKNOWN_START  # else /proc hides it (proc(5), hidepid)
        if known and entry.started not in (None, process.start_time):
            return None
        return process.pid

    def _await_owner(self, until: float | None) -> None:
        """Wait until the owner's handle reports its end, or it is time to check for a release.

        A release is the removal of the file, which no descriptor reports.
        """
        owner = self._owner()
        process = None if owner is None else self._table.process(owner)
        if process is None:
            return
        try:
            with self._table.open(process) as handle:
                look = None  # declared processes do not release while we wait
                if self._table.launcher is None:
                    look = self._table.now() + RELEASE_POLL_INTERVAL
                limits = [limit for limit in (until, look) if limit is not None]
                self._table.wait([handle], min(limits, default=None))
        except ProcessLookupError:
            return


def _umask() -> int:
    """Return the umask from /proc, because umask(2) can only read it by setting it."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1], 8) for line in file if line.startswith("Umask:"))
    except (OSError, StopIteration):
        return 0o022

"""Remove the pidfile after a stop, unless it is still in use."""

import os

from ssd import pidfile
from ssd.errors import PidfileUnreadable, PidfileUnsafe, StartBlocked
from ssd.matching import Criteria

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.pidfile.locking import Lock
    from ssd.processes.contract import ProcessTable
    from ssd.stopping import Stop

# Why a pidfile is kept.
IN_USE = "it names process {pid}, which runs and was not stopped by this call"
SPECIAL = "it is not a regular file"
BLOCKED = "another start has held {lock} for {seconds:g} seconds"


def clear(path: str, work: "Stop") -> str | None:
    """Remove a pidfile after a stop; return why it is kept, or None if it was removed.

    It is kept while it names a living process that the stop has not signalled, and if it is not
    a regular file. The removal takes the lock of a start, so that no start writes its pid between
    the look and the removal. If the lock is not free within the time of the stop's schedule, the
    file is kept too. Raises PidfileUnwritable.
    """
    try:
        lock = _lock(path, work)
    except StartBlocked as blocked:
        return BLOCKED.format(lock=blocked.path, seconds=blocked.seconds)
    try:
        return _clear(path, work)
    finally:
        if lock is not None:
            lock.release()


def _lock(path: str, work: "Stop") -> "Lock | None":
    """Take the lock that a start would take; None if a start would take none either."""
    from ssd.pidfile import lock_waiting, locking

    if work.table.launcher is not None or not os.path.lexists(path):
        return None  # processes that are only declared, or nothing to remove
    try:
        return locking.acquire(work.match, Criteria(), lock_waiting.stop_timeout(work.schedule))
    except locking.NoLock:
        return None


def _clear(path: str, work: "Stop") -> str | None:
    """Remove the pidfile, or return why it is kept."""
    try:
        entry = pidfile.load(os.fsencode(path), sole_criterion=False)
    except FileNotFoundError:
        return None
    except (PidfileUnreadable, PidfileUnsafe) as error:
        return error.reason
    owner = _owner(entry, work.table) if entry is not None else None
    if owner is not None and owner not in work.signalled:
        return IN_USE.format(pid=owner.pid)
    return None if pidfile.remove(path) else SPECIAL


def _owner(entry: pidfile.Entry, table: "ProcessTable") -> "Process | None":
    """Return the living process that a pidfile names."""
    found = None if entry.pid is None else table.process(entry.pid)
    return None if found is None or not entry.means(found, table) else found

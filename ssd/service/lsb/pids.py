"""pidofproc and status_of_proc: whether a daemon runs, and under which pids."""

import errno
import os

from ssd import pidfile as pidfiles
from ssd.errors import PidfileUnreadable
from ssd.processes import default_table
from ssd.service.lsb.log import log_failure_msg, log_success_msg
from ssd.statuses import DEAD_WITH_PIDFILE, RUNNING, STOPPED, UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ssd.processes.contract import ProcessTable

# To test(1) a file that cannot be reached in these ways is a file that is not there.
_ABSENT = (errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Found:
    """What pidofproc found: ``pids``, descending, and an LSB ``status``.

    0 running, 1 dead and a pidfile left, 3 not running, 4 cannot tell.
    """

    __slots__ = ("pids", "status")

    def __init__(self, status: int, pids: "Collection[int]" = ()) -> None:
        self.status = status
        self.pids = list(pids)

    def __repr__(self) -> str:
        return f"Found({self.status}, {self.pids})"


def default_pidfile(pathname: str) -> str:
    """Return where LSB expects the pidfile of a program."""
    return f"/var/run/{pathname.rpartition('/')[2]}.pid"


def pidofproc(
    pathname: str,
    pidfile: str | None = None,
    *,
    omit: "Collection[int]" = (),
    table: "ProcessTable | None" = None,
) -> Found:
    """Find the pids of a daemon by its pidfile.

    Without ``pidfile`` it is /var/run/NAME.pid, and if there is none, the processes of the
    program (see ``names``), but for the pids to ``omit``. A pidfile is believed whoever
    owns it; PidfileUnsafe is raised if others could have written it. Raises
    ProcessTableError.
    """
    path = default_pidfile(pathname) if pidfile is None else pidfile
    try:
        entry = pidfiles.load(os.fsencode(path), sole_criterion=False)
    except FileNotFoundError:
        return _absent(pathname, pidfile, omit, table)
    except PidfileUnreadable as error:
        if error.errno in _ABSENT:
            return _absent(pathname, pidfile, omit, table)
        return Found(UNKNOWN)
    if entry is None or not entry.content.strip():
        return Found(UNKNOWN if pidfile is None else STOPPED)
    table = table or default_table()
    process = None if entry.pid is None else table.process(entry.pid)
    if process is None or not entry.means(process, table):
        return Found(DEAD_WITH_PIDFILE)
    return Found(RUNNING, [process.pid])


def status_of_proc(
    pathname: str, name: str, pidfile: str | None = None, *, table: "ProcessTable | None" = None
) -> int:
    """Write a line on how a daemon called ``name`` is, and return pidofproc's status.

    Raises what ``pidofproc`` raises.
    """
    return tell_status(pidofproc(pathname, pidfile, table=table).status, name)


def tell_status(status: int, name: str) -> int:
    """Write a line for one of pidofproc's statuses, and return it."""
    if status == RUNNING:
        log_success_msg(f"{name} is running")
    elif status == UNKNOWN:
        log_failure_msg(f"could not access PID file for {name}")
    else:
        log_failure_msg(f"{name} is not running")
    return status


def _absent(
    pathname: str, pidfile: str | None, omit: "Collection[int]", table: "ProcessTable | None"
) -> Found:
    """Answer without a pidfile: by name, unless a certain pidfile was asked for."""
    if pidfile is not None:
        return Found(STOPPED)
    from ssd.service.lsb.names import processes_of  # a scan; a pidfile saves it

    pids = [process.pid for process in processes_of(pathname, omit, table)]
    return Found(RUNNING, pids[::-1]) if pids else Found(STOPPED)

"""pidofproc and status_of_proc: whether a daemon runs, and under which pids.

Without a pidfile the processes are found by path or name, where the original calls pidof(8) with
-x. The path of an existing file means the processes that run it. If there are none, or for a name
alone, the kernel's process name (comm) must match, and the command line must confirm it: argv[0],
or argv[1] of a script.
"""

import errno
import os
import sys

from ssd import pidfile as pidfiles
from ssd.errors import VANISHED, ExecutableMissing, PidfileUnreadable
from ssd.processes import default_table
from ssd.service.lsb.log import log_failure_msg, log_success_msg
from ssd.statuses import DEAD_WITH_PIDFILE, RUNNING, STOPPED, UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable

# test(1) says for these errors that the file does not exist.
_ABSENT = (errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Found:
    """The result of pidofproc: ``pids``, descending, and an LSB ``status``.

    0 running, 1 dead with a pidfile, 3 not running, 4 unknown.
    """

    __slots__ = ("pids", "status")

    def __init__(self, status: int, pids: "Collection[int]" = ()) -> None:
        self.status = status
        self.pids = list(pids)

    def __repr__(self) -> str:
        return f"Found({self.status}, {self.pids})"


def default_pidfile(pathname: str) -> str:
    """Return the path where LSB expects the pidfile of a program."""
    return f"/var/run/{pathname.rpartition('/')[2]}.pid"


def pidofproc(
    pathname: str,
    pidfile: str | None = None,
    *,
    omit: "Collection[int]" = (),
    table: "ProcessTable | None" = None,
) -> Found:
    """Find the pids of a daemon by its pidfile.

    The default of ``pidfile`` is /var/run/NAME.pid; if that is missing too, the result is the
    processes of the program (see ``processes_of``) without the pids to ``omit``. Any owner of
    the pidfile is accepted. Raises PidfileUnsafe if other users could have written it, and
    ProcessTableError.
    """
    if not (table is None or hasattr(table, "launcher")):
        from ssd.validation import demand_table

        demand_table(table)
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
    """Write a line about the state of the daemon ``name``, and return pidofproc's status.

    Raises what ``pidofproc`` raises.
    """
    return tell_status(pidofproc(pathname, pidfile, table=table).status, name)


def tell_status(status: int, name: str) -> int:
    """Write the line for a status of pidofproc, and return the status."""
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
    """Return the result without a pidfile: by name, unless the caller gave a pidfile."""
    if pidfile is not None:
        return Found(STOPPED)
    pids = [process.pid for process in processes_of(pathname, omit, table)]
    return Found(RUNNING, pids[::-1]) if pids else Found(STOPPED)


def processes_of(
    program: str, omit: "Collection[int]" = (), table: "ProcessTable | None" = None
) -> "list[Process]":
    """Return the living processes of a program, ascending by pid, without those to ``omit``.

    This process is never included; for root, neither are processes in another root directory.
    Raises ProcessTableError.
    """
    table = table or default_table()
    path = os.fsencode(program)
    found = _running(path, table) or _named(path, table)
    elsewhere = table.launcher is not None  # a fake machine of ssd.testing has one root directory
    return [
        each for each in found if each.pid not in omit and (elsewhere or _shares_root(each.pid))
    ]


def comm_of(path: bytes) -> bytes:
    """Return the process name that Linux gives to a process that executes this path."""
    from ssd.matching import NAME_LIMIT

    return path.rpartition(b"/")[2][:NAME_LIMIT]


def means(program: bytes, argv: list[bytes]) -> bool:
    """Return whether a process with the comm of ``program`` runs that program.

    The first word of its command line, or the second for a script, must be ``program`` or its
    base name; for a bare name, its base name must be ``program``. If the first word has a
    space, the process wrote its own title, as nginx does. Then only the comm counts, which
    cannot confirm a longer name.
    """
    base = program.rpartition(b"/")[2]
    if argv and b" " in argv[0]:
        from ssd.matching import NAME_LIMIT

        return len(base) <= NAME_LIMIT
    names = (program, base)
    return any(word in names or word.rpartition(b"/")[2] == program for word in argv[:2])


def _running(path: bytes, table: "ProcessTable") -> "list[Process]":
    """Find the processes that run the file at an absolute path, if there is one."""
    if not path.startswith(b"/"):
        return []
    from ssd.finding import resolve
    from ssd.matching import Match

    try:
        return table.select(resolve(Match(exec=path), table))
    except ExecutableMissing:  # missing or not visible: the name may still match
        return []


def _named(path: bytes, table: "ProcessTable") -> "list[Process]":
    """Find the processes of a program by their comm and command line."""
    name = comm_of(path)
    if not name:
        return []
    from ssd.matching import Criteria

    criteria = Criteria(name=name)
    return [
        process
        for process in table.select(criteria)
        if means(path, table.command_line(process.pid)) and table.holds(criteria, process)
    ]


def _shares_root(pid: int) -> bool:
    """Return whether a process has our root directory, as pidof -c; True unless we are root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return True
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/root"), os.stat("/"))
    except VANISHED:
        return False

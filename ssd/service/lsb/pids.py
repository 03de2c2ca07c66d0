"""pidofproc and status_of_proc: whether a daemon runs, and under which pids.

Without a pidfile a program's processes are found by its path or name; the original asks pidof(8)
with -x. A path that exists means the processes that run that file. Where there are none, and for
a name alone, the kernel's name of the process (comm) finds them and their command line confirms
it: argv[0], or argv[1] of a script.
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

COMM_LENGTH = 15  # bytes that Linux keeps of a name, TASK_COMM_LEN less its NUL
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
    program (see ``processes_of``), but for the pids to ``omit``. A pidfile is believed whoever
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
    pids = [process.pid for process in processes_of(pathname, omit, table)]
    return Found(RUNNING, pids[::-1]) if pids else Found(STOPPED)


def processes_of(
    program: str, omit: "Collection[int]" = (), table: "ProcessTable | None" = None
) -> "list[Process]":
    """Return a program's living processes, ascending by pid, without those to ``omit``.

    Neither this process nor, for root, one in another root directory is among them.
    Raises ProcessTableError.
    """
    table = table or default_table()
    path = os.fsencode(program)
    found = _running(path, table) or _named(path, table)
    elsewhere = table.launcher is not None  # on a machine of ssd.testing's, which has one root
    return [
        each for each in found if each.pid not in omit and (elsewhere or _shares_root(each.pid))
    ]


def comm_of(path: bytes) -> bytes:
    """Return what Linux keeps as the name of a process that executes this path."""
    return path.rpartition(b"/")[2][:COMM_LENGTH]


def means(program: bytes, argv: list[bytes]) -> bool:
    """Decide whether a process with the comm of ``program`` is one of its processes.

    A word of its command line, the first or (of a script) the second, is the program as it
    was asked for or its base name; or, where a bare name was asked for, has it as its base
    name. A first word with a space in it was made up by the process, as nginx does: then
    the comm is all there is to go by, and says nothing of a longer name.
    """
    base = program.rpartition(b"/")[2]
    if argv and b" " in argv[0]:
        return len(base) <= COMM_LENGTH
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
    except ExecutableMissing:  # not installed, or not for us to see: there is still the name
        return []


def _named(path: bytes, table: "ProcessTable") -> "list[Process]":
    """Find the processes whose comm and command line say that they are this program."""
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
    """Tell whether a process has our root directory; who is not root cannot know (pidof -c)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return True
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/root"), os.stat("/"))
    except VANISHED:
        return False

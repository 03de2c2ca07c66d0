"""start_daemon and killproc: start, stop and signal a daemon as LSB describes."""

import os

from ssd.errors import AlreadyRunning
from ssd.matching import Match
from ssd.schedule import SEND, Schedule, ScheduleError
from ssd.service.lsb.pids import comm_of, default_pidfile, pidofproc
from ssd.signals import raw, signal_number
from ssd.statuses import DEAD_WITH_PIDFILE, STOPPED, SUCCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable
    from ssd.starting.command import Command

NO_PIDFILE = "/dev/null"
WITHOUT_SIGNAL = "TERM/5/KILL/5"


def plan_start(
    pathname: str,
    *arguments: str,
    pidfile: str | None = None,
    nice: int = 0,
    force: bool = False,
    directory: str | None = None,
) -> "tuple[Match, Command]":
    """Return what start_daemon must not find running, and the command that it starts."""
    from ssd.starting.command import Command

    where = os.getcwd() if directory is None else directory
    command = Command([pathname, *arguments], directory=where, nice=nice)
    if force:
        return Match(pidfile=NO_PIDFILE), command
    # An empty pidfile means: look for the executable. No pidfile means: do not look.
    given = NO_PIDFILE if pidfile is None else pidfile or None
    return Match(exec=pathname, pidfile=given), command


def start_daemon(
    pathname: str,
    *arguments: str,
    pidfile: str | None = None,
    nice: int = 0,
    force: bool = False,
    directory: str | None = None,
    table: "ProcessTable | None" = None,
) -> int:
    """Start a daemon that detaches itself, and return the exit status of its first process.

    It starts nothing and returns 0 if the process in ``pidfile`` already runs ``pathname``;
    with an empty ``pidfile``, if any process does. Without ``pidfile``, or with ``force``, it
    always starts. ``nice``: added to the niceness. ``directory``: the caller's by default. A
    status of -N means that signal N killed the process. Raises what ``ssd.start`` raises,
    except AlreadyRunning.
    """
    from ssd.children import start
    from ssd.children.child import Child

    match, command = plan_start(
        pathname, *arguments, pidfile=pidfile, nice=nice, force=force, directory=directory
    )
    try:
        child = start(match, command, background=False, table=table)
    except AlreadyRunning:
        return SUCCESS
    assert isinstance(child, Child)
    with child:
        return child.wait()


def killproc(
    pathname: str,
    signal: str | None = None,
    pidfile: str | None = None,
    *,
    table: "ProcessTable | None" = None,
) -> int:
    """Stop a daemon, or send it a signal; return 0, or 3 if there was no process to signal.

    The daemon is the process in ``pidfile`` (default /var/run/NAME.pid) if it has the name of
    the program. Without ``signal`` it gets TERM, after 5 seconds KILL, and has 5 more seconds
    to end. Without ``signal``, and with TERM, it is a success if no process runs. With TERM a
    given pidfile whose process has ended is removed. ``signal`` is a number or a name, with or
    without a leading "SIG" or dash.

    Raises ValueError for a path without a name, ScheduleError for an unknown signal,
    NotStopped, NotPermitted, PidfileError and ProcessTableError.
    """
    from ssd.stops import stop

    name = comm_of(os.fsencode(pathname))
    if not name:
        raise ValueError(f"{pathname!r} does not name a program")
    text = (signal or "").removeprefix("-").removeprefix("SIG")
    terminate = text in ("15", "TERM")
    match = Match(pidfile=pidfile or default_pidfile(pathname), name=os.fsdecode(name))
    stopped = stop(match, _schedule(text), table=table)
    if terminate and pidfile:
        _tidy(pathname, pidfile, table)
    return SUCCESS if stopped or terminate or not text else STOPPED


def _schedule(text: str) -> Schedule:
    """Return the stop schedule for a signal, or for none. Raises ScheduleError."""
    if not text:
        return Schedule.parse(WITHOUT_SIGNAL)
    signum = signal_number(text)
    if signum is None or signum >= raw.NSIG:
        raise ScheduleError("unknown signal", text)
    return Schedule([(SEND, signum)])


def _tidy(pathname: str, pidfile: str, table: "ProcessTable | None") -> None:
    """Remove a pidfile whose process has ended. Raises PidfileError."""
    from ssd.pidfile import remove

    if pidofproc(pathname, pidfile, table=table).status in (DEAD_WITH_PIDFILE, STOPPED):
        remove(pidfile)

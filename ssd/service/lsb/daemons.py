"""start_daemon and killproc."""

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
    """Decide what a start_daemon means: what must not run yet, and what is started."""
    from ssd.starting.command import Command

    where = os.getcwd() if directory is None else directory
    command = Command([pathname, *arguments], directory=where, nice=nice)
    if force:
        return Match(pidfile=NO_PIDFILE), command
    # An empty pidfile means to look for the executable; none at all, to look for nothing.
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
    """Start a daemon that detaches itself, and return the exit status it left behind.

    Nothing is started, and 0 returned, if the process that ``pidfile`` names runs
    ``pathname``; with an empty ``pidfile``, if any process does. Without one, or with
    ``force``, it is started in any case. ``nice`` is added to the niceness, ``directory``
    is the caller's unless given. Minus N says that signal N has ended the program. Raises
    what ``ssd.start`` raises, but AlreadyRunning.
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
    """Stop a daemon, or send it a signal; return 0, or 3 if there was nobody to signal.

    It is the process that the pidfile, /var/run/NAME.pid unless given, names, if that has
    the program's name. Without ``signal`` it is sent TERM, after 5 seconds KILL, and waited
    for 5 more; nobody to stop is a success then, and with TERM. With TERM a given pidfile
    whose process is gone is removed. A signal is a number or a name, with or without "SIG"
    or a dash before it.

    Raises ValueError for a path without a name, ScheduleError for an unknown signal,
    NotStopped, NotPermitted, PidfileError and ProcessTableError.
    """
    from ssd.stopping import stop

    name = comm_of(os.fsencode(pathname))
    if not name:
        raise ValueError(f"{pathname!r} names no program")
    text = (signal or "").removeprefix("-").removeprefix("SIG")
    terminate = text in ("15", "TERM")
    match = Match(pidfile=pidfile or default_pidfile(pathname), name=name)
    stopped = stop(match, _schedule(text), table=table)
    if terminate and pidfile:
        _tidy(pathname, pidfile, table)
    return SUCCESS if stopped or terminate or not text else STOPPED


def _schedule(text: str) -> Schedule:
    """Return what a signal, or none, means. Raises ScheduleError."""
    if not text:
        return Schedule.parse(WITHOUT_SIGNAL)
    signum = signal_number(text)
    if signum is None or signum >= raw.NSIG:
        raise ScheduleError("unknown signal", text)
    return Schedule([(SEND, signum)])


def _tidy(pathname: str, pidfile: str, table: "ProcessTable | None") -> None:
    """Remove a pidfile whose process is gone. Raises PidfileError."""
    from ssd.pidfile import remove  # only after a TERM

    if pidofproc(pathname, pidfile, table=table).status in (DEAD_WITH_PIDFILE, STOPPED):
        remove(pidfile)

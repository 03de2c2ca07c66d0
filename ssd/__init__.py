"""start-stop-daemon as a library: find, start, stop and ask after daemons.

>>> import ssd
>>> ssd.status(ssd.Match(pidfile="/run/no-such-daemon.pid"))
3

Nothing is printed, no global state is changed, any thread may call. Names load on use (PEP 562).
"""

interpreter: "str | None" = None  # the Python that ``start`` runs helpers on; None: our own
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd._version import __version__ as __version__
    from ssd.children import StartWarning as StartWarning
    from ssd.children import start as start
    from ssd.children.child import Child as Child
    from ssd.errors import AlreadyRunning as AlreadyRunning
    from ssd.errors import Error as Error
    from ssd.errors import ExecutableMissing as ExecutableMissing
    from ssd.errors import NotPermitted as NotPermitted
    from ssd.errors import NotReady as NotReady
    from ssd.errors import NotStopped as NotStopped
    from ssd.errors import PidfileError as PidfileError
    from ssd.errors import PidfileUnreadable as PidfileUnreadable
    from ssd.errors import PidfileUnsafe as PidfileUnsafe
    from ssd.errors import PidfileUnwritable as PidfileUnwritable
    from ssd.errors import ProcessTableError as ProcessTableError
    from ssd.errors import ProcessUnreadable as ProcessUnreadable
    from ssd.errors import StartBlocked as StartBlocked
    from ssd.errors import StartFailed as StartFailed
    from ssd.errors import UnknownGroup as UnknownGroup
    from ssd.errors import UnknownUser as UnknownUser
    from ssd.finding import find as find
    from ssd.finding import status as status
    from ssd.matching import Match as Match
    from ssd.matching import MatchWarning as MatchWarning
    from ssd.matching import Process as Process
    from ssd.processes import default_table as default_table
    from ssd.processes import table_named as table_named
    from ssd.schedule import Schedule as Schedule
    from ssd.schedule import ScheduleError as ScheduleError
    from ssd.starting.command import Command as Command
    from ssd.starting.pidlockfile import PIDLockFile as PIDLockFile
    from ssd.stopping import Stop as Stop
    from ssd.stopping import run as run
    from ssd.stopping import stop as stop
    from ssd.stopping import stop_all as stop_all

_HOME = {
    "Child": "children.child", "StartWarning": "children", "start": "children",
    "AlreadyRunning": "errors", "Error": "errors", "ExecutableMissing": "errors",
    "NotPermitted": "errors", "NotReady": "errors", "NotStopped": "errors",
    "PidfileError": "errors", "PidfileUnreadable": "errors", "PidfileUnsafe": "errors",
    "PidfileUnwritable": "errors", "ProcessTableError": "errors", "ProcessUnreadable": "errors",
    "StartBlocked": "errors", "StartFailed": "errors", "UnknownGroup": "errors",
    "UnknownUser": "errors",
    "find": "finding", "status": "finding",
    "Command": "starting.command", "Match": "matching", "MatchWarning": "matching",
    "PIDLockFile": "starting.pidlockfile",
    "default_table": "processes", "table_named": "processes", "Process": "matching",
    "Schedule": "schedule", "ScheduleError": "schedule",
    "Stop": "stopping", "run": "stopping", "stop": "stopping", "stop_all": "stopping",
    "__version__": "_version",
}  # fmt: skip

__all__ = [
    "AlreadyRunning", "Child", "Command", "Error", "ExecutableMissing", "Match", "MatchWarning",
    "NotPermitted", "NotReady", "NotStopped", "PIDLockFile", "PidfileError", "PidfileUnreadable",
    "PidfileUnsafe", "PidfileUnwritable", "Process", "ProcessTableError", "ProcessUnreadable",
    "Schedule", "ScheduleError", "StartBlocked", "StartFailed", "StartWarning", "Stop",
    "UnknownGroup", "UnknownUser", "__version__", "default_table", "find", "run",
    "start", "status", "stop", "stop_all", "table_named",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name from its module and keep it."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'ssd' has no attribute {name!r}")
    # __import__ rather than importlib, whose own import costs more than most of these.
    value = getattr(__import__(f"ssd.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})

"""start-stop-daemon as a library: find, start, stop and query daemons.

>>> import ssd
>>> ssd.status(ssd.Match(pidfile="/run/no-such-daemon.pid"))
3

It prints nothing, changes no global state, and may be called from any thread. Names load on use
(PEP 562).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    from ssd.match_values import MatchWarning as MatchWarning
    from ssd.matching import Match as Match
    from ssd.matching import Process as Process
    from ssd.processes import default_table as default_table
    from ssd.processes import table_named as table_named
    from ssd.schedule import Schedule as Schedule
    from ssd.schedule import ScheduleError as ScheduleError
    from ssd.starting.command import Command as Command
    from ssd.starting.living import EndedEarly as EndedEarly
    from ssd.starting.pidlockfile import PIDLockFile as PIDLockFile
    from ssd.stopping import Stop as Stop
    from ssd.stopping import run as run
    from ssd.stops import stop as stop
    from ssd.stops import stop_all as stop_all

interpreter: "str | None" = None  # the Python that runs the helpers of ``start``; None: our own
archive: "str | None" = None  # the ssd.pyz that all this is imported from (``ssd.one_file``)


def lazy(
    namespace: "dict[str, object]", homes: "dict[str, tuple[str, ...]]"
) -> "tuple[Callable[[str], object], Callable[[], list[str]], list[str]]":
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names load on use.

    ``namespace``: the globals of the package. ``homes``: its modules, each with the public names
    that it gives to the package. See PEP 562.
    """
    package = namespace["__name__"]
    known = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> object:
        """Load a public name from its module and keep it."""
        home = known.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        # __import__ rather than importlib, whose own import costs more than most of these.
        value: object = getattr(__import__(f"{package}.{home}", fromlist=[name]), name)
        namespace[name] = value
        return value

    def names() -> list[str]:
        """List the public names, loaded or not."""
        return sorted({*namespace, *known})

    return load, names, [*known]


if not TYPE_CHECKING:  # so that a type checker finds names that do not exist
    _HOMES = {
        "_version": ("__version__",), "children.child": ("Child",),
        "children": ("StartWarning", "start"), "stops": ("stop", "stop_all"),
        "errors": (
            "AlreadyRunning", "Error", "ExecutableMissing", "NotPermitted", "NotReady",
            "NotStopped", "PidfileError", "PidfileUnreadable", "PidfileUnsafe", "PidfileUnwritable",
            "ProcessTableError", "ProcessUnreadable", "StartBlocked", "StartFailed", "UnknownGroup",
            "UnknownUser",
        ),
        "finding": ("find", "status"), "matching": ("Match", "Process"),
        "processes": ("default_table", "table_named"), "schedule": ("Schedule", "ScheduleError"),
        "starting.command": ("Command",), "starting.living": ("EndedEarly",),
        "starting.pidlockfile": ("PIDLockFile",), "stopping": ("Stop", "run"),
        "match_values": ("MatchWarning",),
    }  # fmt: skip
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)

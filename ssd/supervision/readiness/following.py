"""Find and take over the process of a service whose program goes to the background by itself.

Its first process is a child of the supervisor. When that has ended with status 0, the daemon is
the process that the pidfile names, if the program writes one (``background`` false). Otherwise it
is a child of the supervisor, which is a subreaper (prctl(2)): one of the first process's session,
or with the marker of this start; the supervisor writes the pidfile then, if there is one. Nothing
is traced, so forks are not counted as Upstart's ``expect`` counts them by ptrace(2).
"""

from ssd.errors import Error
from ssd.finding import look, resolve
from ssd.processes.handles import pidfd
from ssd.supervision import events
from ssd.supervision.effects.held import WAITED_FOR, Held, OwnChild, reap_when_ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.processes.kin import Kin
    from ssd.supervision.unit import Unit

SETTLING = 0.2  # seconds after which a process of the start that still lives is the daemon
UNNAMED = "the pidfile {} names no process of it"


class Follower:
    """Looks for the daemon of a start whose first process has ended.

    ``reason``: why there is none yet.
    """

    __slots__ = ("unit", "reason", "_first", "_marker", "_seen", "_since")

    def __init__(self, unit: "Unit") -> None:
        self.unit = unit
        assert unit.main is not None
        self._first: Process = unit.main.process
        self._marker = unit.supervisor.effects.marker(unit)
        self.reason = ""
        self._seen: Process | None = None
        self._since = 0.0

    def look(self) -> "Process | None":
        """Return the daemon, None if it cannot be told yet. Raises PidfileError and others."""
        service = self.unit.service
        if service.pidfile != "none" and not service.background:
            self.reason = UNNAMED.format(service.pidfile)
            return named(self.unit)
        self.reason = "no process of it is left"
        candidates = self._left_behind()
        chosen = choose(candidates, self._first.pid, service.expect)
        if chosen is not None or not candidates:
            return chosen
        # It may be the one that is about to fork the daemon and to end.
        oldest, now = _oldest(candidates), self.unit.supervisor.table.now()
        self.reason = f"process {oldest.pid} may be the daemon or one that starts it"
        if oldest != self._seen:
            self._seen, self._since = oldest, now
        return oldest if now - self._since >= SETTLING else None

    def _left_behind(self) -> "list[Kin]":
        """Return the processes of this start that have lost their parents."""
        table, effects = self.unit.supervisor.table, self.unit.supervisor.effects
        found = self._ours(table.kin.children(table.own_pid()))
        if found or effects.reaps:
            return found
        match = self.unit.service.match()  # we are no subreaper: then init has them
        return self._ours(each.pid for each in table.select(resolve(match, table)))

    def _ours(self, pids: "Iterable[int]") -> "list[Kin]":
        """Return those that this start has made and that nobody waits for."""
        table = self.unit.supervisor.table
        known = WAITED_FOR if table.launcher is None else ()  # those are pids of this machine
        found = [table.kin.of(pid) for pid in pids if pid not in known]
        return [each for each in found if each is not None and self._is_ours(each)]

    def _is_ours(self, kin: "Kin") -> bool:
        process, table = kin.process, self.unit.supervisor.table
        if process.pid == self._first.pid or process.start_time < self._first.start_time:
            return False
        if kin.session == self._first.pid:
            return True
        return self._marker in table.kin.environment(process.pid)


def choose(candidates: "Iterable[Kin]", first: int, expect: str) -> "Process | None":
    """Return the process that is the daemon for certain, the oldest of several; None if none is.

    candidates: what a start has left behind. first: the pid of its first process, which led a
    session. With ``expect`` fork that is each of them. Otherwise it is one in a session that
    another process has made: that is a daemon(7), and the other one was in the middle.
    """
    sure = [
        kin for kin in candidates if expect == "fork" or kin.session not in (first, kin.process.pid)
    ]
    return _oldest(sure) if sure else None


def _oldest(found: "Iterable[Kin]") -> "Process":
    return min((kin.process for kin in found), key=lambda each: (each.start_time, each.pid))


def named(unit: "Unit") -> "Process | None":
    """Return the living process that a service's pidfile names; None if there is none.

    Raises PidfileError, ProcessTableError, ProcessUnreadable and ExecutableMissing.
    """
    match, table = unit.service.match(), unit.supervisor.table
    found = look(match, resolve(match, table), table, only_first=True).processes
    return next((each for each in found if not is_anothers(each, unit)), None)


def is_anothers(process: "Process", unit: "Unit") -> bool:
    """Tell whether a service's pidfile is wrong about a process: it is init, we, or another's.

    A pidfile that outlived its process, in a container that was started again for example, often
    names the process of another service.
    """
    supervisor = unit.supervisor
    if process.pid in (1, supervisor.table.own_pid()):
        return True
    others = (each for each in supervisor.units.values() if each is not unit)
    return any(each.main is not None and each.main.pid == process.pid for each in others)


def take_main(unit: "Unit", process: "Process") -> bool:
    """Make a process the main one of a service; return whether it lives.

    The one before, if it lives, is no longer watched, only reaped. Raises ProcessTableError and
    OSError if no descriptor is left to hold it.
    """
    supervisor = unit.supervisor
    try:
        main = hold(supervisor.table, process)
    except ProcessLookupError:
        return False
    before = unit.main
    if before is not None:
        supervisor.watch.release(before)
        reap_when_ended(supervisor.watch, before)
    unit.main = main
    if unit.since is None:
        unit.since = supervisor.table.now()
    supervisor.record(unit)
    supervisor.watch.hold(main, unit.main_ended)
    supervisor.say(events.Started(supervisor.wall(), unit.name, process.pid))
    effects, service = supervisor.effects, unit.service
    if effects.notify is not None:
        effects.notify.main_changed(unit)
    if service.background and service.pidfile != "none":
        try:
            effects.write_pidfile(service.pidfile, process)
        except (Error, OSError) as error:
            complain(unit, error)
    return True


def hold(table: "ProcessTable", process: "Process") -> "OwnChild | Held":
    """Hold a process, as a child if it is one already. Raises ProcessLookupError."""
    kin = table.kin.of(process.pid) if table.launcher is None else None
    if kin is not None and kin.ppid == table.own_pid() and process.is_still(kin.process):
        fd = pidfd(process.pid)  # nobody else can reap it
        if fd is not None:
            return OwnChild(process.pid, process.start_time, fd)
    return Held(table.open(process))


def complain(unit: "Unit", error: "Error | OSError") -> None:
    """Tell of a failure that stops nothing."""
    from ssd.sentences import describe

    supervisor = unit.supervisor
    supervisor.say(events.StatusText(supervisor.wall(), unit.name, describe(error)))

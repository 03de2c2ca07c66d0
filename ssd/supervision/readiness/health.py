"""Whether a running service works: checks of ``health``, and the watchdog of sd_notify(3).

Counting is pure (``Tally``). The checks begin when the service is ready and end with its stop.
"""

from ssd.supervision import events, states
from ssd.supervision.readiness.probes import Probing, probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.supervisor import Timer
    from ssd.supervision.unit import Unit

RESTART = "restart"  # action of a declaration; the other one is mark


class Tally:
    """Counts results: ``retries`` failures in a row make it unhealthy, one success healthy."""

    __slots__ = ("retries", "failures", "healthy")

    def __init__(self, retries: int) -> None:
        self.retries = retries
        self.failures = 0
        self.healthy = True

    def take(self, succeeded: bool) -> bool:
        """Count a result; return whether ``healthy`` has changed by it."""
        before = self.healthy
        self.failures = 0 if succeeded else self.failures + 1
        if succeeded:
            self.healthy = True
        elif self.failures >= self.retries:
            self.healthy = False
        return before != self.healthy


class Checks(Probing):
    """The checks of one running service. ``watchdog`` is None without one.

    taken_over: whether the service was started by an earlier supervisor. It may send its messages
    to the socket of that one, so its watchdog is not demanded before it has reported once.
    """

    __slots__ = ("watchdog", "_taken_over", "_tally")

    def __init__(self, unit: "Unit", taken_over: bool = False) -> None:
        super().__init__(unit)
        self._taken_over = taken_over
        self.watchdog: Watchdog | None = None
        self._tally = Tally(unit.service.health["retries"])

    def begin(self) -> None:
        """Begin; the first check is made after half an interval to a whole one, by chance.

        So services that were started together are not all checked at one moment.
        """
        if self.unit.service.health["kind"] != "none":
            self._wait(1 - self.unit.supervisor.random() / 2)
        if not self._taken_over:
            self.watch(self.unit.service.watchdog)

    def pet(self) -> None:
        """Take WATCHDOG=1."""
        if self._taken_over:
            self.watch(self.unit.service.watchdog)
        elif self.watchdog is not None:
            self.watchdog.pet()

    def bite(self) -> None:
        """Take WATCHDOG=trigger: the service has found out by itself that it does not work."""
        if self.watchdog is not None or self._taken_over:
            self.sick("it reports WATCHDOG=trigger")

    def watch(self, seconds: float) -> None:
        """Demand WATCHDOG=1 at least every ``seconds`` from now on; 0 demands it no more."""
        self._taken_over = False
        if self.watchdog is not None:
            self.watchdog.end()
        self.watchdog = Watchdog(self, seconds) if seconds else None

    def end(self) -> None:
        """End all of it."""
        self.end_probes()
        if self.watchdog is not None:
            self.watchdog.end()

    def sick(self, reason: str) -> None:
        """Tell that the service does not work, and have it restarted."""
        self.end()
        self._tell(events.Unhealthy(self.unit.supervisor.wall(), self.unit.name, reason))
        if self.unit.state == states.RUNNING:
            self.unit.judge(None, reason, states.SICK)

    def _wait(self, part: float = 1.0) -> None:
        seconds = self.unit.service.health["interval"] * part
        self._timer = self.unit.supervisor.after(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        given = self.unit.service.health
        kind, command, address = given["kind"], given["command"], given["address"]
        self._probe = probe(self.unit, kind, command, address, given["timeout"], self._checked)
        self._probe.begin()

    def _checked(self, failure: str | None) -> None:
        """Take the result of a check: None, or the reason of its failure."""
        self._probe = None
        unit, tally = self.unit, self._tally
        changed = tally.take(failure is None)
        reason = f"{failure}" if tally.failures < 2 else f"{failure}, {tally.failures} times"
        if changed and failure is not None and unit.service.health["action"] == RESTART:
            self.sick(reason)
            return
        if changed and failure is None:
            self._tell(events.Healthy(unit.supervisor.wall(), unit.name))
        elif changed:
            self._tell(events.Unhealthy(unit.supervisor.wall(), unit.name, reason))
        self._wait()

    def _tell(self, event: events.Event) -> None:
        self.unit.healthy = isinstance(event, events.Healthy)
        self.unit.supervisor.say(event)


class Watchdog:
    """A limit for the time between two WATCHDOG=1.

    A message only notes the time: a timer that has come looks how much of it is left. So the
    supervisor wakes up once in that time, however often the service reports.
    """

    __slots__ = ("_checks", "_seconds", "_last", "_timer")

    def __init__(self, checks: Checks, seconds: float) -> None:
        self._checks = checks
        self._seconds = seconds
        self._last = 0.0
        self._timer: Timer | None = None
        self.pet()
        self._wait()

    def pet(self) -> None:
        """Take WATCHDOG=1."""
        self._last = self._checks.unit.supervisor.table.now()

    def end(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._checks.unit.supervisor.cancel(self._timer)
            self._timer = None

    def _wait(self) -> None:
        supervisor = self._checks.unit.supervisor
        self._timer = supervisor.at(self._last + self._seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._checks.unit.supervisor.table.now() < self._last + self._seconds:
            self._wait()
            return
        self._checks.sick(f"it has not reported WATCHDOG=1 for {self._seconds:g} seconds")

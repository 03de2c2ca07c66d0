"""Keep services running: the engine, which waits for nothing itself.

``Supervisor`` has the shape of ``ssd.Stop``: ``advance`` does all that is due; between two calls
a loop waits for ``handles`` or until ``until``. Wishes (``start``, ``stop`` ...) return at once.
"""

import time
from _collections import deque  # type: ignore[import-not-found]  # without what collections loads
from _heapq import heappop, heappush

from ssd.processes import default_table
from ssd.service.errors import UnknownService
from ssd.supervision import events, gates, states
from ssd.supervision.control.view import View
from ssd.supervision.effects import Effects
from ssd.supervision.effects.outputs import Outputs
from ssd.supervision.order import Order
from ssd.supervision.unit import Unit
from ssd.supervision.watch import watch_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ssd.processes.contract import Handle, ProcessTable
    from ssd.service.declaration import Service
    from ssd.supervision.effects.outputs import Places
    from ssd.supervision.events import Event
    from ssd.supervision.succession.journal import Journal


class Timer:
    """A call to come; ``call`` is None once it is cancelled."""

    __slots__ = ("time", "number", "call")

    def __init__(self, time: float, number: int, call: "Callable[[], object]") -> None:
        self.time = time
        self.number = number
        self.call: Callable[[], object] | None = call

    def __lt__(self, other: "Timer") -> bool:
        return (self.time, self.number) < (other.time, other.number)


TURN = 16  # inputs that are taken before the watch is asked again


class Update:
    """What an update does: the names of the services that it adds, removes, changes, leaves."""

    __slots__ = ("added", "removed", "changed", "same")

    def __init__(self) -> None:
        self.added: list[str] = []
        self.removed: list[str] = []
        self.changed: list[str] = []
        self.same: list[str] = []


class Supervisor:
    """Services, each with its life, in one process.

    services: their declarations. table: where their processes are; None for this machine's.
    random: returns a number from 0 up to 1, for the jitter of delays.
    places: where pipes and logs are; None writes no logs, as on a machine of ``ssd.testing``.

    ``units`` has a Unit for each name. ``listeners`` are called with each event at once;
    ``take`` returns the events since its last call. Raises what ``Order`` raises.
    """

    def __init__(
        self,
        services: "Iterable[Service]" = (),
        *,
        table: "ProcessTable | None" = None,
        random: "Callable[[], float] | None" = None,
        places: "Places | None" = None,
    ) -> None:
        self.table = table or default_table()
        self.watch = watch_for(self.table)
        self.units: dict[str, Unit] = {}
        self.listeners: list[Callable[[events.Event], object]] = []
        self.random = random or _random()
        self._events: list[events.Event] | None = None
        self._queue: deque[tuple[Unit, str]] = deque()
        self._timers: list[Timer] = []
        self._count = 0
        self.ending = False
        self._advancing = False
        self.active = 0  # units that are not at rest
        self.outputs = Outputs(places, self.watch, self._report)
        self.effects = Effects(self.table, self.outputs)
        self.view = View()
        self.journal: Journal | None = None  # ssd.supervision.succession.successor
        declared = list(services)
        self.order = Order(declared)
        for service in declared:
            self.units[service.name] = Unit(self, service)

    # The shape of ssd.Stop.

    def advance(self) -> bool:
        """Do all that is due now; return True once ``shutdown`` was called and all have stopped."""
        self._advancing = True
        try:
            self.watch.poll()
            while True:
                self._run_timers()
                self.outputs.advance()
                if not self._queue:
                    break
                for _ in range(TURN):  # what a unit feeds itself is taken in the same turn
                    if not self._queue:
                        break
                    unit, given = self._queue.popleft()
                    unit.take(given)
                self.watch.poll()
        finally:
            self._advancing = False
        return self.ending and not self.active

    @property
    def handles(self) -> "list[Handle]":
        """What to wait for."""
        return self.watch.handles

    @property
    def until(self) -> float | None:
        """When to call ``advance`` at the latest, in seconds of ``table.now()``; None: no limit."""
        if self._queue:
            return self.table.now()
        while self._timers and self._timers[0].call is None:
            heappop(self._timers)
        times = [self._timers[0].time] if self._timers else []
        if self.outputs.until is not None:
            times.append(self.outputs.until)
        if self.watch.interval is not None:
            times.append(self.table.now() + self.watch.interval)
        return min(times, default=None)

    def close(self) -> None:
        """Let everything go; the services continue to run, and nobody watches them."""
        for unit in self.units.values():
            self.effects.end_checks(unit)
            if unit.main is not None:
                unit.main.close()
            self.outputs.changed(unit)
        self.outputs.close_all()
        self.effects.close()
        self.watch.close()
        if self.journal is not None:
            if self.ending and not self.active:
                self.journal.finish()
            self.journal.close()

    # Wishes.

    def start(self, name: str) -> None:
        """Start a service, and what it requires. Raises UnknownService."""
        self._unit(name)
        for each in self.order.closure([name]):
            unit = self.units[each]
            if unit.state in states.AT_REST:
                unit.begin_anew()
            if self.journal is not None:
                self.journal.wish(each, states.DO_START)
            unit.want()

    def start_all(self) -> None:
        """Start every service that is not declared ``manual``."""
        for unit in self.units.values():
            if not unit.service.manual:
                unit.want()

    def stop(self, name: str) -> None:
        """Stop a service, and those that declare to stop with it. Raises UnknownService."""
        unit = self._unit(name)
        gates.take_along(self, unit, "")
        if self.journal is not None:
            self.journal.wish(name, states.DO_STOP)
        unit.end()

    def restart(self, name: str) -> None:
        """Stop a service if it runs, and start it. Raises UnknownService."""
        unit = self._unit(name)
        if unit.at_rest:
            self.start(name)
            return
        unit.begin_anew()
        self._wish(unit, states.DO_RESTART)

    def signal(self, name: str, signum: int) -> None:
        """Send a signal to the main process of a service.

        Raises UnknownService, ProcessLookupError if it has none, and PermissionError.
        """
        unit = self._unit(name)
        if unit.main is None:
            raise ProcessLookupError(name)
        unit.main.signal(signum)

    def reload(self, name: str) -> None:
        """Have a service read its configuration anew, by its signal for that.

        Raises what ``signal`` raises, and ValueError if it has no such signal.
        """
        from ssd.signals import signal_number

        signum = signal_number(self._unit(name).service.reload_signal)
        if not signum:
            raise ValueError(f"{name} can only be restarted: it declares no reload_signal")
        self.signal(name, signum)
        self.say(events.Reloaded(self.wall(), name))

    def shutdown(self) -> None:
        """Stop all services, in the opposite order of their start; ``advance`` tells the end."""
        self.ending = True
        if self.journal is not None:
            self.journal.end()
        self.watch.poke()  # even if there is nothing to stop
        for unit in self.units.values():
            if not unit.at_rest or unit.main is not None:
                unit.end()

    def hurry(self) -> None:
        """Kill at once all that is being stopped, now and from now on, and do not wait for it."""
        self.effects.hurried = True
        for unit in list(self.units.values()):
            unit.hurry()

    def update(self, services: "Iterable[Service]") -> Update:
        """Take new declarations: start what is new, stop what is gone, restart what has changed.

        What has not changed is not touched. Raises what ``Order`` raises, and changes nothing then.
        """
        declared = {service.name: service for service in services}
        order = Order(declared.values())
        done = Update()
        for name, service in declared.items():
            unit = self.units.get(name)
            if unit is None or unit.removed:
                self._add(service, done)
            elif unit.service == service:
                unit.changed = None
                done.same.append(name)
            else:
                self._change(unit, service, done)
        for name, unit in list(self.units.items()):
            if name not in declared and not unit.removed:
                done.removed.append(name)
                unit.removed = True
                if unit.at_rest and unit.main is None:
                    self.drop(unit)
                else:
                    unit.end()
        self.order = order
        return done

    def take(self) -> "list[Event]":
        """Return the events since the last call, oldest first; the first call begins to keep."""
        kept, self._events = self._events or [], []
        return kept

    # What units ask for.

    def feed(self, unit: Unit, given: str) -> None:
        """Give a unit an input, in the next turn; a loop that waits for that is woken."""
        if not (self._advancing or self._queue):
            self.watch.poke()
        self._queue.append((unit, given))

    @property
    def busy(self) -> bool:
        """Whether units have inputs that they have not taken yet."""
        return bool(self._queue)

    def awaited(self, unit: Unit, inputs: "tuple[str, ...]") -> str | None:
        """Return which of some inputs a unit has not taken yet, None without one."""
        for each, given in self._queue:
            if each is unit and given in inputs:
                return str(given)
        return None

    def record(self, unit: Unit) -> None:
        """Keep what is known of a unit for a successor, if there is a journal."""
        if self.journal is not None:
            self.journal.put(unit)

    def _wish(self, unit: Unit, given: str) -> None:
        """Give a unit what somebody wishes; a successor does it if we no longer can."""
        if self.journal is not None:
            self.journal.wish(unit.name, given)
        self.feed(unit, given)

    def at(self, time: float, call: "Callable[[], object]") -> "Timer":
        """Call at a time of ``table.now()``; return what ``cancel`` takes."""
        self._count += 1
        timer = Timer(time, self._count, call)
        heappush(self._timers, timer)
        return timer

    def after(self, seconds: float, call: "Callable[[], object]") -> "Timer":
        """Call after so many seconds; return what ``cancel`` takes."""
        return self.at(self.table.now() + seconds, call)

    def cancel(self, timer: "Timer") -> None:
        """Do not make the call."""
        timer.call = None

    def say(self, event: events.Event) -> None:
        """Tell the listeners of an event, and keep it for ``take``."""
        if self._events is not None:
            self._events.append(event)
        for listener in self.listeners:
            listener(event)

    def wall(self) -> float:
        """Return the time for events: seconds since the epoch, or the time of a fake machine."""
        return time.time() if self.table.launcher is None else self.table.now()

    def drop(self, unit: Unit) -> None:
        """Forget a unit that was removed and has stopped."""
        if self.units.get(unit.name) is unit:
            del self.units[unit.name]
            self.outputs.forget(unit)
            if self.journal is not None:
                self.journal.forget(unit.name)

    def _report(self, name: str, kind: str, text: str) -> None:
        """Tell what has become of a log."""
        self.say(events.StatusText(self.wall(), name or "ssd-supervise", f"log {kind}: {text}"))

    def _unit(self, name: str) -> Unit:
        unit = self.units.get(name)
        if unit is None:
            from ssd.service.errors import nearest

            raise UnknownService(name, ["this supervisor"], nearest(name, self.units))
        return unit

    def _add(self, service: "Service", done: Update) -> None:
        """Take a new service; one that is still being removed comes back changed."""
        done.added.append(service.name)
        unit = self.units.get(service.name)
        if unit is None:
            unit = self.units[service.name] = Unit(self, service)
        else:
            unit.removed, unit.changed = False, service
        if not service.manual:
            unit.want()

    def _change(self, unit: Unit, service: "Service", done: Update) -> None:
        """Take a new declaration of a known service; restart it if it runs."""
        done.changed.append(service.name)
        unit.changed = service
        if unit.goal == states.STOP:
            if unit.at_rest:
                unit.take_changes()
            return
        unit.begin_anew()
        self._wish(unit, states.DO_RESTART)

    def _run_timers(self) -> None:
        """Make the calls whose time has come."""
        timers = self._timers
        if not timers:
            return
        now = self.table.now()
        while timers and (timers[0].call is None or timers[0].time <= now):
            call = heappop(timers).call
            if call is not None:
                call()


def run(supervisor: Supervisor) -> None:
    """Drive a supervisor until it was shut down and all has stopped; blocks.

    On a machine of ``ssd.testing`` this takes no time.
    """
    while not supervisor.advance():
        supervisor.table.wait(supervisor.handles, supervisor.until)


def follow(supervisor: Supervisor) -> "Iterator[Event]":
    """Drive a supervisor as ``run`` does, and yield each event."""
    supervisor.take()
    over = False
    while not over:
        over = supervisor.advance()
        yield from supervisor.take()
        if not over:
            supervisor.table.wait(supervisor.handles, supervisor.until)


def _random() -> "Callable[[], float]":
    """Return a source of random numbers, without the module random, which loads many others."""
    from _random import Random

    return Random().random

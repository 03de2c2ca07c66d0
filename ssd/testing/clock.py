"""A clock that jumps, and the waits on it, of one caller or of the tasks of an asyncio loop.

An endless schedule takes no time here, and a test of it would hang. So each kind of wait has a
limit, at which it raises WaitsForEver.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from threading import RLock

from ssd.processes.contract import Handle

MAX_EVENTS = 1_000_000  # in one wait without a time limit
MAX_IDLE_WAITS = 100_000  # one after the other while nothing happens; takes under a second
# Turns of a loop in which no task begins to wait, before time jumps. A loop does not say
# when it is idle; between two waits a task of ssd takes two turns.
QUIET_TURNS = 20


class WaitsForEver(RuntimeError):
    """A wait that no coming event will end: the test would hang."""


def seconds_of(value: float, what: str) -> float:
    """Return a length of time. Raises ValueError for a negative one and for NaN."""
    if not value >= 0:
        raise ValueError(f"{what} is {value}, it must be 0 seconds or more")
    return value


class FakeClock:
    """Time in seconds, and the events to come. It stands still until a call makes it jump.

    ``start`` is the first time. The clock never goes back, also with several threads: ``lock`` is
    held while an event happens, and must be held to change what events change.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self.lock = RLock()

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def at(self, time: float, action: Callable[[], object]) -> None:
        """Call ``action`` when the clock shows ``time``; at once if that is past.

        Actions of the same time are called in the order in which they were given. Raises
        ValueError for NaN.
        """
        if time != time:
            raise ValueError("NaN is not a time")
        with self.lock:
            if time <= self._now:
                action()
            else:
                heapq.heappush(self._events, (time, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Call ``action`` ``seconds`` from now. Raises ValueError for a negative number."""
        self.at(self._now + seconds_of(seconds, "the delay"), action)

    def next_event(self) -> float | None:
        """Return the time of the next event; None if there is none."""
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        """Jump to the next event and run it. Raises LookupError if there is none."""
        with self.lock:
            if not self._events:
                raise LookupError("there is no event to come")
            self._now, _, action = heapq.heappop(self._events)
            action()

    def advance(self, seconds: float) -> None:
        """Let time pass, and run all events in it."""
        with self.lock:
            self.advance_to(self._now + seconds)

    def advance_to(self, time: float) -> None:
        """Run all events up to ``time``, and at it. Raises ValueError for a time in the past."""
        with self.lock:
            if not time >= self._now:
                raise ValueError(f"the clock shows {self._now}, {time} is in the past")
            while self._events and self._events[0][0] <= time:
                self.step()
            self._now = time

    def advance_until(self, holds: Callable[[], bool], until: float | None = None) -> bool:
        """Jump from event to event until ``holds()`` is true; return its last value.

        All events of one time are run. It ends at the time ``until``, and when no event is to come.
        Raises WaitsForEver after MAX_EVENTS, unless ``until`` is given.
        """
        for _ in itertools.count() if until is not None else range(MAX_EVENTS + 1):
            with self.lock:
                if holds():
                    return True
                event = self.next_event()
                if until is not None and (event is None or event > until):
                    self.advance_to(max(until, self._now))
                    return holds()
                if event is None:
                    return False
                self.advance_to(event)
        raise WaitsForEver(f"after {MAX_EVENTS} events the wait has not ended: {self}")

    def __repr__(self) -> str:
        return f"<FakeClock at {self._now:g} s, {len(self._events)} events to come>"


class Patience:
    """Lets the time of a table pass, unless the wait would never end.

    ``count`` returns how many events have happened on the table.
    """

    def __init__(self, clock: FakeClock, count: Callable[[], int]) -> None:
        self._clock = clock
        self._count_events = count
        self._events = 0
        self._waits = 0

    def wait(self, due: Callable[[], bool], until: float | None, handles: Sequence[Handle]) -> None:
        """Let time pass until ``due()`` is true, at most to ``until``.

        ``handles`` are those of the processes whose ends are waited for. Raises WaitsForEver if no
        event is to come, and after MAX_IDLE_WAITS in which nothing has happened.
        """
        if not self._clock.advance_until(due, until) and until is None:
            raise WaitsForEver(
                f"no coming event ends one of {list(handles)}: declare one, by a reaction or "
                "die(after=...), or wait until a time"
            )
        if handles and not any(handle.ended() for handle in handles):
            self._count(handles)

    def _count(self, handles: Sequence[Handle]) -> None:
        """Count a wait in which no process has ended. Raises WaitsForEver."""
        with self._clock.lock:
            events = self._count_events()
            idle = events == self._events and self._clock.next_event() is None
            self._events, self._waits = events, self._waits + 1 if idle else 0
        if self._waits > MAX_IDLE_WAITS:
            raise WaitsForEver(
                f"in {MAX_IDLE_WAITS} waits for one of {list(handles)} nothing has happened, "
                "and no event is to come"
            )


class Waiter:
    """The wait of one task: its condition, its time limit, its handles, and the future to set."""

    __slots__ = ("came", "until", "handles", "woken")

    def __init__(
        self,
        came: Callable[[], bool],
        until: float | None,
        handles: Sequence[Handle],
        woken: "asyncio.Future[None]",
    ) -> None:
        self.came = came
        self.until = until
        self.handles = handles
        self.woken = woken

    def due(self, now: float) -> bool:
        """Say whether the wait is over."""
        return self.until is not None and now >= self.until or self.came()


class Waiters:
    """All tasks that wait on one table.

    A wait that blocks may jump at once. With several tasks, time must jump to the next event that
    matters to any of them, and only when all are waiting.
    """

    def __init__(self, clock: FakeClock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting: list[Waiter] = []
        self._jumps: asyncio.Task[None] | None = None
        self._came = 0

    async def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Do what ``FakeProcesses.wait`` does while other tasks run."""
        if until is None and not handles:
            raise ValueError("nothing to wait for")
        await self.until(lambda: any(handle.ended() for handle in handles), until, handles)

    async def until(
        self, came: Callable[[], bool], until: float | None, handles: Sequence[Handle] = ()
    ) -> None:
        """Return when ``came()`` is true, at the latest at ``until``."""
        loop = asyncio.get_running_loop()
        waiter = Waiter(came, until, handles, loop.create_future())
        self._waiting.append(waiter)
        self._came += 1
        if self._jumps is None or self._jumps.done() or self._jumps.get_loop() is not loop:
            self._jumps = loop.create_task(self._jump())
        try:
            await waiter.woken
        finally:
            self._waiting.remove(waiter)

    async def _jump(self) -> None:
        """Jump to the next time at which a task is woken, as long as any task waits."""
        while self._waiting:
            await self._quiet()
            waiting = [each for each in self._waiting if not each.woken.done()]
            if not waiting:
                continue  # their tasks have yet to run
            try:
                self._advance(waiting)
            except Exception as error:  # noqa: BLE001 - the waiting tasks raise it
                for each in waiting:
                    each.woken.set_exception(error)
                continue
            for each in waiting:
                if each.due(self._clock.now()):
                    each.woken.set_result(None)

    def _advance(self, waiting: list[Waiter]) -> None:
        """Let time pass until one of the waits is over. Raises WaitsForEver if none ever is."""
        now, limits = self._clock.now, [w.until for w in waiting if w.until is not None]
        self._patience.wait(
            lambda: any(each.due(now()) for each in waiting),
            min(limits, default=None),
            [handle for each in waiting for handle in each.handles],
        )

    async def _quiet(self) -> None:
        """Return when no task has begun to wait for some turns of the loop."""
        seen, turns = self._came, 0
        while turns < QUIET_TURNS:
            await asyncio.sleep(0)
            turns = turns + 1 if seen == self._came else 0
            seen = self._came

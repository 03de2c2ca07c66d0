"""A time that jumps, and the waits in it: of one caller, or of the tasks of an asyncio loop.

A schedule that repeats for ever takes no time at all here, and never ends. So each kind of wait
has a limit, at which it raises WaitsForEver where a test would hang.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from threading import RLock

from ssd.processes.contract import Handle

MAX_EVENTS = 1_000_000  # in one wait without a time limit
MAX_IDLE_WAITS = 100_000  # for the ends of processes while nothing happens: under a second
# Turns of a loop in which no task begins to wait, before time jumps. A loop does not tell
# when it is idle; between two waits a task of ssd's takes two turns.
QUIET_TURNS = 20


class WaitsForEver(RuntimeError):
    """A wait that nothing to come will end: a test would hang."""


def seconds_of(value: float, what: str) -> float:
    """Return a length of time. Raises ValueError for a negative one and for NaN."""
    if not value >= 0:
        raise ValueError(f"{what} is {value}, it must be 0 seconds or more")
    return value


class FakeClock:
    """Time in seconds, and what happens at which moment of it.

    ``start`` is what the clock shows at first. It never goes back, whichever threads have it
    go on: ``lock`` is held while one thing happens, and by those who change what it happens to.
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
        """Have ``action`` called when the clock shows ``time``; at once if that is past.

        Actions of one moment are called in the order in which they were given. Raises
        ValueError for NaN.
        """
        if time != time:
            raise ValueError("NaN is no time")
        with self.lock:
            if time <= self._now:
                action()
            else:
                heapq.heappush(self._events, (time, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Have ``action`` called ``seconds`` from now. Raises ValueError for a negative time."""
        self.at(self._now + seconds_of(seconds, "the delay"), action)

    def next_event(self) -> float | None:
        """Return when something happens next; None if nothing is to come."""
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        """Jump to the next event and let it happen. Raises LookupError if there is none."""
        with self.lock:
            if not self._events:
                raise LookupError("nothing is to come")
            self._now, _, action = heapq.heappop(self._events)
            action()

    def advance(self, seconds: float) -> None:
        """Let time pass, and all that belongs into it happen."""
        with self.lock:
            self.advance_to(self._now + seconds)

    def advance_to(self, time: float) -> None:
        """Let everything up to ``time``, and at it, happen. Raises ValueError for the past."""
        with self.lock:
            if not time >= self._now:
                raise ValueError(f"it is {self._now} already, {time} is past")
            while self._events and self._events[0][0] <= time:
                self.step()
            self._now = time

    def advance_until(self, holds: Callable[[], bool], until: float | None = None) -> bool:
        """Jump from moment to moment until something holds; say whether it does in the end.

        All events of one moment happen. Ends at the time ``until``, and where nothing is to
        come any more. Raises WaitsForEver after MAX_EVENTS, unless ``until`` is given.
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
    """Lets the time of a table pass, unless the wait can never end.

    ``count`` returns how many events have happened on the table.
    """

    def __init__(self, clock: FakeClock, count: Callable[[], int]) -> None:
        self._clock = clock
        self._count_events = count
        self._events = 0
        self._waits = 0

    def wait(self, due: Callable[[], bool], until: float | None, handles: Sequence[Handle]) -> None:
        """Let time pass until something is due, at most to ``until``.

        ``handles`` are those whose ends are waited for. Raises WaitsForEver where nothing is
        to come, and after MAX_IDLE_WAITS in which nothing has happened.
        """
        if not self._clock.advance_until(due, until) and until is None:
            raise WaitsForEver(
                f"nothing is to come that ends one of {list(handles)}: declare what does, "
                "a reaction or die(after=...), or wait until a time"
            )
        if handles and not any(handle.ended() for handle in handles):
            self._count(handles)

    def _count(self, handles: Sequence[Handle]) -> None:
        """Count a wait that nobody has ended. Raises WaitsForEver."""
        with self._clock.lock:
            events = self._count_events()
            idle = events == self._events and self._clock.next_event() is None
            self._events, self._waits = events, self._waits + 1 if idle else 0
        if self._waits > MAX_IDLE_WAITS:
            raise WaitsForEver(
                f"in {MAX_IDLE_WAITS} waits for one of {list(handles)} nothing has happened, "
                "and nothing is to come"
            )


class Waiter:
    """One task's wait: for what, until when, and what wakes it. ``handles``: for whose end."""

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
        """Say whether what was waited for is there."""
        return self.until is not None and now >= self.until or self.came()


class Waiters:
    """All tasks that wait on one table.

    A wait that blocks may jump at once, for nothing else is there. Among tasks the jump must be
    to the next moment that matters to any of them, and not before all are waiting.
    """

    def __init__(self, clock: FakeClock, patience: Patience) -> None:
        self._clock = clock
        self._patience = patience
        self._waiting: list[Waiter] = []
        self._jumps: asyncio.Task[None] | None = None
        self._came = 0

    async def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Do what ``FakeProcesses.wait`` does while other tasks go on."""
        if until is None and not handles:
            raise ValueError("nothing to wait for")
        await self.until(lambda: any(handle.ended() for handle in handles), until, handles)

    async def until(
        self, came: Callable[[], bool], until: float | None, handles: Sequence[Handle] = ()
    ) -> None:
        """Return when something holds, at the latest at ``until``."""
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
        """Jump, as long as somebody waits, to the next moment at which a task is woken."""
        while self._waiting:
            await self._quiet()
            waiting = [each for each in self._waiting if not each.woken.done()]
            if not waiting:
                continue  # they are on their way out
            try:
                self._advance(waiting)
            except Exception as error:  # noqa: BLE001 - it goes to those who wait
                for each in waiting:
                    each.woken.set_exception(error)
                continue
            for each in waiting:
                if each.due(self._clock.now()):
                    each.woken.set_result(None)

    def _advance(self, waiting: list[Waiter]) -> None:
        """Let time pass until one of them is due. Raises WaitsForEver if none ever is."""
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

"""A clock that stands still until it is told to jump."""

import heapq
import itertools
from collections.abc import Callable
from threading import RLock

from ssd.testing import checking

# In one wait without a limit: something comes again and again, and it is not what is waited for.
MOST_MOMENTS = 1_000_000


class WaitsForEver(RuntimeError):
    """A wait that nothing to come will end: a test would hang."""


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
        self.at(self._now + checking.seconds(seconds, "the delay"), action)

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
        come any more. Raises WaitsForEver after MOST_MOMENTS, unless ``until`` is given.
        """
        for _ in itertools.count() if until is not None else range(MOST_MOMENTS + 1):
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
        raise WaitsForEver(f"of {MOST_MOMENTS} events none was what is waited for: {self}")

    def __repr__(self) -> str:
        return f"<FakeClock at {self._now:g} s, {len(self._events)} events to come>"

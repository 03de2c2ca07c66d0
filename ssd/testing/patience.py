"""Where a test would hang: a wait for what never comes, and waits without an end.

Time jumps, so a schedule that repeats for ever takes no time at all, and never ends.
"""

from collections.abc import Callable, Sequence

from ssd.processes.contract import Handle
from ssd.testing.clock import WaitsForEver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.fake import FakeProcesses

# Of one process: more would fill the memory with the record of them.
MOST_SIGNALS = 10_000
# For the ends of processes, while nothing happens and nothing is to come: under a second.
MOST_WAITS = 100_000


class Patience:
    """Lets the time of a table pass, as long as that can come to something."""

    def __init__(self, table: "FakeProcesses") -> None:
        self._table = table
        self._events = 0
        self._waits = 0

    def wait(self, due: Callable[[], bool], until: float | None, handles: Sequence[Handle]) -> None:
        """Let time pass until something is due, at most to ``until``.

        ``handles`` are those whose ends are waited for. Raises WaitsForEver where nothing is
        to come, and after MOST_WAITS in which nothing has happened.
        """
        if not self._table.clock.advance_until(due, until) and until is None:
            raise WaitsForEver(
                f"nothing is to come that ends one of {list(handles)}: declare what does, "
                "a reaction or die(after=...), or wait until a time"
            )
        if handles and not any(handle.ended() for handle in handles):
            self._count(handles)

    def _count(self, handles: Sequence[Handle]) -> None:
        """Count a wait that nobody has ended. Raises WaitsForEver."""
        with self._table.lock:
            events = len(self._table.events)
            idle = events == self._events and self._table.clock.next_event() is None
            self._events, self._waits = events, self._waits + 1 if idle else 0
        if self._waits > MOST_WAITS:
            raise WaitsForEver(
                f"{MOST_WAITS} waits for one of {list(handles)} have passed in which nothing "
                "happened, and nothing is to come"
            )

"""What waits for a job: events that have set it off, and wishes that want to know its end."""

from ssd.upstart.errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssd.upstart.errors import JobError
    from ssd.upstart.events.emissions import Emission

    Done = Callable[[JobError | None], object]
    Call = Callable[[Done, JobError | None], object]


class Blocking:
    """All that waits for one job to come to rest, to run or to fail.

    call: makes a call to one that waits when no job is in the middle of a move.
    """

    __slots__ = ("_events", "_wishes", "_call")

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._events: list[Emission] = []
        self._wishes: list[tuple[str, Done]] = []

    def add_events(self, events: "Iterable[Emission]") -> None:
        """Block events until the job has done what they have set off."""
        for emission in events:
            emission.block()
            self._events.append(emission)

    def events(self) -> "list[Emission]":
        """Return the events that are blocked."""
        return list(self._events)

    def blocks(self, emission: "Emission") -> bool:
        """Tell whether an event waits for the job."""
        return emission in self._events

    def add_wish(self, wish: str, done: "Done") -> None:
        """Have ``done`` called with None, or with the failure of ``wish``: start, stop, restart."""
        self._wishes.append((wish, done))

    def release(self, failed: bool) -> None:
        """Tell all of them, and forget them."""
        events, self._events = self._events, []
        wishes, self._wishes = self._wishes, []
        for emission in events:
            emission.unblock(failed)
        for wish, done in wishes:
            self._call(done, JobFailed(wish) if failed else None)

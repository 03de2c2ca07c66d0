"""Events that were emitted, until all that they have set off has come to its end.

An event is finished when nothing blocks it any more: services that it started run, tasks have
ended, jobs that it stopped are stopped. A job can fail it. What waits for an event is told then.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# Jobs can set each other off for ever, without a process. Clients get a word in after so many.
MOST_PASSES = 20


class Emission:
    """One emitted event: ``name``, ``pairs`` (KEY=VALUE, in their order).

    blockers: how many things it waits for. failed: whether one of them has failed. done: is called
    once it is finished, with the emission.
    """

    __slots__ = ("name", "pairs", "blockers", "failed", "handled", "done")

    def __init__(
        self,
        name: str,
        pairs: "Iterable[str]" = (),
        done: "Callable[[Emission], object] | None" = None,
    ) -> None:
        self.name = name
        self.pairs = list(pairs)
        self.blockers = 0
        self.failed = False
        self.handled = False  # whether the jobs have seen it
        self.done = done

    def block(self) -> None:
        """Keep it from being finished; each call needs an ``unblock``."""
        self.blockers += 1

    def unblock(self, failed: bool = False) -> None:
        """Take one block away; ``failed``: what blocked it has failed."""
        self.failed = self.failed or failed
        self.blockers -= 1

    @property
    def failure(self) -> "Emission | None":
        """The event that tells of its failure: NAME/failed; None if there is none."""
        if not self.failed or self.name.endswith("/failed"):
            return None
        return Emission(f"{self.name}/failed", self.pairs)

    def __repr__(self) -> str:
        return f"<Emission {' '.join([self.name, *self.pairs])}>"


class Emissions:
    """The events that are not finished yet, oldest first. ``see`` shows a new one to the jobs."""

    __slots__ = ("_see", "_pending", "_turning")

    def __init__(self, see: "Callable[[Emission], object]") -> None:
        self._see = see
        self._pending: list[Emission] = []
        self._turning = False

    def add(self, emission: Emission) -> None:
        """Take a new event; the jobs see it in the next ``turn``."""
        self._pending.append(emission)

    @property
    def unseen(self) -> "list[Emission]":
        """The events that the jobs have not seen yet."""
        return [each for each in self._pending if not each.handled]

    @property
    def due(self) -> bool:
        """Whether a turn would do something."""
        return any(not each.handled or each.blockers == 0 for each in self._pending)

    def turn(self) -> bool:
        """Show new events to the jobs and end those that nothing blocks; tell whether any did.

        Some may be left for the next turn (``due``).
        """
        if self._turning:
            return False  # it is called from what an event has set off
        self._turning = True
        done = False
        try:
            for _ in range(MOST_PASSES):
                if not self._pass():
                    break
                done = True
        finally:
            self._turning = False
        return done

    def _pass(self) -> bool:
        """Look at each event once."""
        moved = False
        for emission in list(self._pending):
            if not emission.handled:
                emission.handled = moved = True
                self._see(emission)
            if emission.blockers == 0:
                moved = True
                self._pending.remove(emission)
                if emission.done is not None:
                    emission.done(emission)
                failure = emission.failure
                if failure is not None:
                    self._pending.append(failure)
        return moved

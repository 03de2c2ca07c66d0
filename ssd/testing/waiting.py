"""Waits of an asyncio loop's tasks on one fake table: time jumps when all of them wait.

A wait that blocks may jump at once, nobody else is there. Among tasks the jump has to be
to the next moment that matters to any of them, and not before all have got there.
"""

import asyncio
from collections.abc import Callable, Sequence

from ssd.processes.contract import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.fake import FakeProcesses

# Turns of the loop in which no task began to wait, before time jumps. A loop does not tell
# when it is idle; between two waits a task of ssd's takes two turns.
QUIET = 20


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
    """All tasks that wait on one table."""

    def __init__(self, table: "FakeProcesses") -> None:
        self._table = table
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
                if each.due(self._table.now()):
                    each.woken.set_result(None)

    def _advance(self, waiting: list[Waiter]) -> None:
        """Let time pass until one of them is due. Raises WaitsForEver if none ever is."""
        now, limits = self._table.now, [w.until for w in waiting if w.until is not None]
        self._table.patience.wait(
            lambda: any(each.due(now()) for each in waiting),
            min(limits, default=None),
            [handle for each in waiting for handle in each.handles],
        )

    async def _quiet(self) -> None:
        """Return when no task has begun to wait for some turns of the loop."""
        seen, turns = self._came, 0
        while turns < QUIET:
            await asyncio.sleep(0)
            turns = turns + 1 if seen == self._came else 0
            seen = self._came

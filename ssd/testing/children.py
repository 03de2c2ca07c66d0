"""Declared processes that are children of the caller, and how it waits for them."""

import asyncio
import errno
import os

from ssd.children.child import STILL_RUNS, Child
from ssd.testing.clock import WaitsForEver
from ssd.testing.process import STOPPED, FakeProcess


class NoDescriptor(RuntimeError):
    """A declared process was asked for a descriptor, which cannot exist with a clock that jumps.

    It is not a ValueError, which the select module and asyncio would take for one of their own.
    """


class FakeChild(Child):
    """A declared process that a start has made the caller's child; see ``ssd.Child``.

    ``wait`` lets time pass until it has ended; so do ``table.wait`` and ``ssd.aio.wait``.
    ``declared`` is the process itself. It has no descriptor: see ``NoDescriptor``.
    """

    __slots__ = ("declared", "loop")

    def __init__(
        self, declared: FakeProcess, loop: "asyncio.AbstractEventLoop | None" = None
    ) -> None:
        """``loop`` is that of the task that has started it, if a task has."""
        super().__init__(declared.pid, declared.identity.start_time, [])
        self.declared = declared
        self.loop = loop

    def __del__(self) -> None:
        """Do nothing: a declared process holds nothing of the real machine."""

    def fileno(self) -> int:
        """Raise NoDescriptor, which says what to use instead."""
        raise NoDescriptor(
            f"{self!r} is a declared process, which has no descriptor. Wait by "
            "child.wait(timeout), table.wait([child, ...], until) or, in an asyncio loop, "
            "await ssd.aio.wait(child, timeout)"
        )

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, reap, and return the status; ``timeout`` is in the table's time.

        Raises TimeoutError, or WaitsForEver if there is no limit and the end never comes. Raises
        RuntimeError in another thread than that of the loop whose task has started the child.
        """
        self._refuse_beside_tasks()
        clock = self.declared.table.clock
        until = None if timeout is None else clock.now() + timeout
        clock.advance_until(lambda: self.declared.ended, until)
        return self._reaped(timeout)

    async def wait_async(self, timeout: float | None = None) -> int:
        """Do what ``wait`` does while an asyncio loop runs; ``ssd.aio.wait`` calls it."""
        table = self.declared.table
        until = None if timeout is None else table.now() + timeout
        await table.waiters.wait([self], until)
        return self._reaped(timeout)

    def poll(self) -> int | None:
        """Reap it if it has ended, and return its status; None if it runs."""
        if self.declared.ended:
            self.declared.reap()
            self.status = self.declared.status or 0
        return self.status

    def ended(self) -> bool:
        """Say whether it has ended, reaped or not."""
        return self.declared.ended

    def is_stopped(self) -> bool:
        """Say whether a signal has stopped it."""
        return self.declared.state == STOPPED

    def _reaped(self, timeout: float | None) -> int:
        """Return the status after a wait. Raises TimeoutError, and WaitsForEver without one."""
        status = self.poll()
        if status is not None:
            return status
        if timeout is None:
            raise WaitsForEver(f"no coming event ends {self.declared}")
        raise TimeoutError(STILL_RUNS.format(self, timeout))

    def _refuse_beside_tasks(self) -> None:
        """Raise RuntimeError in another thread than that of the child's running loop."""
        loop = self.loop
        if loop is None or not loop.is_running() or asyncio._get_running_loop() is loop:
            return
        raise RuntimeError(
            f"{self!r} was started by a task and is waited for in a thread: time would jump for "
            "the other tasks of the loop. Use: await ssd.aio.wait(child, timeout)"
        )

    def signal(self, signum: int) -> None:
        """Send a signal; it has no effect on a zombie."""
        if self.status is not None:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not self.declared.ended:
            with self.declared.table.open(self) as handle:
                handle.signal(signum)

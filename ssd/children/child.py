"""A started process that stays the caller's child, and what becomes of those that are dropped."""

import errno
import os
import warnings
from _thread import RLock, allocate_lock  # threading's own, without what threading imports
from time import monotonic

from ssd.matching import Process
from ssd.processes import reaping, waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Self

STILL_RUNS = "{} still runs after {:g} seconds"

# pid, and pidfd if any, of those that ran when they were dropped
_dropped: list[tuple[int, list[int]]] = []
_looking = allocate_lock()


class Child(Process):
    """A started process that is a child of the caller, which has to wait for it.

    It holds a pidfd (``fileno()``, readable once the child has ended; -1 where the system
    has none). ``wait`` and ``poll`` reap the child, by the pidfd as long as it is open;
    ``close`` lets the descriptor go. Usable in a with statement, which closes and does not
    wait. A table waits for it, too (``table.wait([child], until)``), and ``ssd.aio.wait``.

    One that is dropped without either is looked after as by subprocess.Popen: unless it was
    waited for a ResourceWarning tells of it, and the child is reaped and its descriptor closed
    at once if it has ended, else by the next ``ssd.start`` after its end.
    """

    # How an asyncio loop waits for a child that is only declared; None: by its descriptor.
    wait_async: "Callable[[float | None], Awaitable[int]] | None" = None

    __slots__ = ("_closed", "_lost", "_pidfds", "_reaping", "status")

    def __init__(self, pid: int, start_time: int, pidfds: list[int], lost: bool = False) -> None:
        """``pidfds``: its pidfd, or nothing, in a list that others may share with it.

        ``lost``: somebody else has reaped it already, and its pid may be another's.
        """
        super().__init__(pid, start_time)
        self._lost = lost
        self._reaping = RLock()
        self.status: int | None = None
        self._pidfds = pidfds
        self._closed = False

    @property
    def process(self) -> Process:
        """The process that it is, as of whatever a table waits for."""
        return self

    def fileno(self) -> int:
        """Return the pidfd (pidfd_open(2)), -1 where there is none.

        A loop of your own then calls ``poll`` from time to time; ``wait``, ``table.wait`` and
        ``ssd.aio.wait`` do so themselves.
        """
        return self._pidfds[0] if self._pidfds else -1

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, reap, and return the exit status, or minus the signal's number.

        timeout: seconds to wait at most; None waits without a limit.

        Once reaped, it returns the same again. Raises TimeoutError, the built-in one, if the
        child still runs then; ChildProcessError if somebody else in this process has reaped it.
        """
        until = None if timeout is None else monotonic() + timeout
        while (status := self.poll()) is None:
            if until is None:
                self._await_end()
            elif monotonic() >= until:
                raise TimeoutError(STILL_RUNS.format(self, timeout))
            elif self._pidfds and self.ended():
                # Its tracer has yet to let go of it: ptrace(2).
                waiting.ready((), waiting.POLL_INTERVAL)
            else:
                waiting.wait([self], until)
        return status

    def poll(self) -> int | None:
        """Reap the child if it has ended, and return its status as ``wait`` does; else None.

        Raises ChildProcessError if somebody else in this process has reaped it.
        """
        with self._reaping:  # one thread reaps, the others get what it got
            if self.status is None:
                if self._lost:
                    raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))
                try:
                    self.status = reaping.reap(self.pid, self.fileno())
                except ChildProcessError:
                    if self.status is None:  # a signal handler's wait() may have been quicker
                        raise
            return self.status

    def ended(self) -> bool:
        """Say whether it has ended, reaped or not."""
        if self._pidfds:
            return waiting.ready(self._pidfds, 0)
        try:
            return self.poll() is not None  # without a descriptor there is no other look
        except ChildProcessError:
            return True

    def _await_end(self) -> None:
        """Return when the child has ended; others may reap it meanwhile."""
        if hasattr(os, "waitid"):
            reaping.await_end(self.pid, self.fileno())
        else:  # macOS, before Python 3.13
            waiting.wait([self], None)

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError once the child has been reaped.

        It goes through the pidfd, so it reaches nobody else, whoever reaps the child and
        when. Where there is none, or it was closed, it goes by the pid.
        """
        if self.status is not None or self._lost:
            raise ProcessLookupError(self.pid)
        reaping.send(self.pid, self.fileno(), signum)

    def close(self) -> None:
        """Close the pidfd; the child itself lives on, and is the caller's to reap."""
        self._closed = True
        with self._reaping:  # not under another thread's wait
            reaping.close(self._pidfds)

    def _abandon(self) -> None:
        """Have it reaped, and its descriptor closed, by an ``ssd.start`` after its end."""
        self._closed = True
        if not self._lost:
            drop(self.pid, self._pidfds)

    def __del__(self) -> None:
        """Let go of what nobody has closed."""
        if getattr(self, "_closed", True):  # or not made to the end
            return
        if self.status is not None:
            self.close()
            return
        self._abandon()
        text = f"{self!r} was dropped and not waited for"
        warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def __reduce__(self) -> "tuple[object, tuple[int, int]]":
        """Make a plain Process of a copy, also in another program: a descriptor has one owner."""
        return Process, (self.pid, self.start_time)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def drop(pid: int, pidfds: list[int]) -> None:
    """Reap a child if it has ended, else have it reaped later; close its pidfd then."""
    if _gone(pid, pidfds):
        reaping.close(pidfds)
    else:
        _dropped.append((pid, pidfds))


def reap_dropped() -> None:
    """Reap those that were dropped and have ended since."""
    if not _dropped or not _looking.acquire(blocking=False):
        return  # another thread does it
    try:
        for left in [each for each in _dropped if _gone(*each)]:
            reaping.close(left[1])
            _dropped.remove(left)
    finally:
        _looking.release()


def _gone(pid: int, pidfds: list[int]) -> bool:
    """Reap a child if it has ended; say whether it is gone, by whomever it was reaped."""
    try:
        return reaping.reap(pid, pidfds[0] if pidfds else -1) is not None
    except ChildProcessError:
        return True

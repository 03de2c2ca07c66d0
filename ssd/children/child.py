"""A started process that stays the caller's child, and the reaping of dropped ones."""

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

# (pid, [pidfd] or []) of children that still ran when they were dropped
_dropped: list[tuple[int, list[int]]] = []
_looking = allocate_lock()


class Child(Process):
    """A started process that is a child of the caller, which must wait for it.

    It holds a pidfd (``fileno()``, readable once the child has ended; -1 on a system without
    pidfds). ``wait`` and ``poll`` reap the child, through the pidfd while that is open;
    ``close`` closes the pidfd. In a with statement it is closed, but not waited for.
    ``table.wait([child], until)`` and ``ssd.aio.wait`` wait for it, too.

    A child that is dropped without being waited for or closed gives a ResourceWarning, as with
    subprocess.Popen. It is reaped and its descriptor closed at once if it has ended, otherwise
    by the next ``ssd.start`` after its end.
    """

    # How an asyncio loop waits for a declared child (``ssd.testing``); None: by its descriptor.
    wait_async: "Callable[[float | None], Awaitable[int]] | None" = None

    __slots__ = ("_closed", "_lost", "_pidfds", "_reaping", "status")

    def __init__(self, pid: int, start_time: int, pidfds: list[int], lost: bool = False) -> None:
        """``pidfds``: a list, which may be shared, of its pidfd; empty without one.

        ``lost``: other code has reaped it already, and another process may have its pid.
        """
        super().__init__(pid, start_time)
        self._lost = lost
        self._reaping = RLock()
        self.status: int | None = None
        self._pidfds = pidfds
        self._closed = False

    @property
    def process(self) -> Process:
        """The child itself: a table asks this of all that it waits for."""
        return self

    def fileno(self) -> int:
        """Return the pidfd (pidfd_open(2)), or -1 if there is none.

        With -1 a loop of your own must call ``poll`` from time to time; ``wait``, ``table.wait``
        and ``ssd.aio.wait`` do so themselves.
        """
        return self._pidfds[0] if self._pidfds else -1

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, reap, and return the exit status, or minus the signal's number.

        timeout: seconds to wait at most; None waits without a limit.

        Once the child is reaped, it returns the same again. Raises the built-in TimeoutError if
        the child still runs then; ChildProcessError if other code in this process has reaped it.
        """
        until = None if timeout is None else monotonic() + timeout
        while (status := self.poll()) is None:
            if until is None:
                self._await_end()
            elif monotonic() >= until:
                raise TimeoutError(STILL_RUNS.format(self, timeout))
            elif self._pidfds and self.ended():
                waiting.ready((), waiting.POLL_INTERVAL)  # a tracer still holds it: ptrace(2)
            else:
                waiting.wait([self], until)
        return status

    def poll(self) -> int | None:
        """Reap the child if it has ended, and return its status as ``wait`` does; else None.

        Raises ChildProcessError if other code in this process has reaped it.
        """
        with self._reaping:  # one thread reaps, the others get the same status
            if self.status is None:
                if self._lost:
                    raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))
                try:
                    self.status = reaping.reap(self.pid, self.fileno())
                except ChildProcessError:
                    if self.status is None:  # a wait() in a signal handler may have been quicker
                        raise
            return self.status

    def ended(self) -> bool:
        """Return whether it has ended, reaped or not."""
        if self._pidfds:
            return waiting.ready(self._pidfds, 0)
        try:
            return self.poll() is not None  # without a descriptor there is no other way
        except ChildProcessError:
            return True

    def _await_end(self) -> None:
        """Return when the child has ended; other code may reap it meanwhile."""
        if hasattr(os, "waitid"):
            reaping.await_end(self.pid, self.fileno())
        else:  # macOS, before Python 3.13
            waiting.wait([self], None)

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError once the child has been reaped.

        It is sent through the pidfd, so it reaches no other process, even if other code reaps
        the child. Without a pidfd, or once that is closed, it is sent by the pid.
        """
        if self.status is not None or self._lost:
            raise ProcessLookupError(self.pid)
        reaping.send(self.pid, self.fileno(), signum)

    def close(self) -> None:
        """Close the pidfd; the child itself continues, and the caller must reap it."""
        self._closed = True
        with self._reaping:  # not while another thread reaps by it
            reaping.close(self._pidfds)

    def _abandon(self) -> None:
        """Leave it to an ``ssd.start`` after its end to reap it and to close its descriptor."""
        self._closed = True
        if not self._lost:
            drop(self.pid, self._pidfds)

    def __del__(self) -> None:
        """Close the pidfd, and warn of a child that nothing has waited for."""
        if getattr(self, "_closed", True):  # or __init__ failed
            return
        if self.status is not None:
            self.close()
            return
        self._abandon()
        text = f"{self!r} was dropped and not waited for"
        warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def __reduce__(self) -> "tuple[object, tuple[int, int]]":
        """Make copies and pickles plain Processes: a descriptor has one owner."""
        return Process, (self.pid, self.start_time)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def drop(pid: int, pidfds: list[int]) -> None:
    """Reap a child and close its pidfd if it has ended, else leave it to ``reap_dropped``."""
    if _gone(pid, pidfds):
        reaping.close(pidfds)
    else:
        _dropped.append((pid, pidfds))


def reap_dropped() -> None:
    """Reap dropped children that have ended since."""
    if not _dropped or not _looking.acquire(blocking=False):
        return  # another thread does it
    try:
        for left in [each for each in _dropped if _gone(*each)]:
            reaping.close(left[1])
            _dropped.remove(left)
    finally:
        _looking.release()


def _gone(pid: int, pidfds: list[int]) -> bool:
    """Reap a child if it has ended; return True if it is reaped, also if by other code."""
    try:
        return reaping.reap(pid, pidfds[0] if pidfds else -1) is not None
    except ChildProcessError:
        return True

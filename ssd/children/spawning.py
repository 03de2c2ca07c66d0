"""A child that is being started: its descriptors, pid and pidfd, none of which may be lost.

A signal handler of the caller may raise between any two steps of Python. So what the kernel
returns is stored within one call of C (``_keep``), during which no handler runs.

Another thread may fork(2) meanwhile, and its child has copies of the pipes. It closes them, because
a pipe has no end of file while a copy is open. A fork waits while a descriptor is made or closed,
because between the system call and the list nothing knows of it (``_gate``).
"""

import fcntl
import marshal
import os
from _thread import RLock
from collections import deque
from functools import partial
from itertools import chain, starmap
from weakref import ref

from ssd.children.child import Child, drop
from ssd.errors import StartFailed
from ssd.processes import reaping
from ssd.processes.handles import UNAVAILABLE
from ssd.processes.reaping import close
from ssd.starting import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ssd.matching import Process


class Unwanted(Exception):
    """The child was given up before it was made."""


class Spawned:
    """A child that is being started, and the descriptors of its start.

    ``pids``: its pid, as long as we must end or reap it. ``outcome``: what it has reported.
    ``reading``: the end of a pipe that is to be read, set by the code that spawns. ``drain()``
    closes the descriptors in one step, at the end. Another thread may call ``give_up``.
    """

    def __init__(self) -> None:
        self.pids: list[int] = []
        self._pidfds: list[int] = []
        self._wanted = True
        self._changing = RLock()
        self.reset()
        for dead in [start for start in tuple(_starts) if start() is None]:
            _starts.discard(dead)
        _starts.add(ref(self))

    def reset(self) -> None:
        """Prepare another try, after one that made no child and was drained."""
        self.reading = -1
        self.outcome = report.Outcome()
        self._chunks: list[bytes] = []
        self._fds = [-1]  # a sentinel: the last to be popped
        self._drain: Callable[[], object] = partial(
            deque, map(os.close, iter(self._fds.pop, -1)), 0
        )

    def drain(self) -> None:
        """Close all descriptors that are left."""
        with _gate:
            self._drain()

    def pipe(self) -> tuple[int, int]:
        """Make a pipe whose ends are above the standard descriptors, even if those are closed.

        Raises StartFailed.
        """
        try:
            with _gate:
                self._fds.extend(chain.from_iterable(starmap(os.pipe, [()])))
                reading, writing = map(self._moved, self._fds[-2:])
        except OSError as error:
            raise StartFailed("fork", "", error.errno, error.strerror) from error
        return reading, writing

    def _moved(self, fd: int) -> int:
        """Return a descriptor; a standard one is replaced by a copy above 2."""
        if fd > 2:
            return fd
        copy: int = _keep(self._fds, fcntl.fcntl, fd, fcntl.F_DUPFD_CLOEXEC, 3)
        self.close(fd)
        return copy

    def close(self, fd: int) -> None:
        """Close one of the descriptors, unless it is closed already."""
        with _gate:
            if fd in self._fds:
                close(self._fds, self._fds.index(fd))

    def close_all_but(self, fd: int) -> None:
        """Close all other descriptors."""
        for other in self._fds[1:]:
            if other != fd:
                self.close(other)

    def spawn(self, function: "Callable[..., int]", *arguments: object, **named: object) -> int:
        """Make the child by a function in C, and hold it; return its pid.

        Raises what the function raises, and Unwanted; StartFailed, after ending the child, if
        there is no pidfd for it.
        """
        with self._changing:
            self.check_wanted()
            pid: int = _keep(self.pids, function, *arguments, **named)
            if hasattr(os, "pidfd_open"):
                self._hold(pid)
            return pid

    def check_wanted(self) -> None:
        """Raise Unwanted if the child was given up."""
        if not self._wanted:
            raise Unwanted

    def _hold(self, pid: int) -> None:
        """Open the child's pidfd, if the kernel has pidfds."""
        try:
            _keep(self._pidfds, os.pidfd_open, pid)
        except ProcessLookupError:
            self.pids.clear()  # it has ended, and other code has reaped it
        except OSError as error:
            if error.errno not in UNAVAILABLE:
                self.end()
                raise StartFailed("fork", "pidfd_open", error.errno, error.strerror) from error

    @property
    def pid(self) -> int:
        """The child's pid; 0 if it is not made yet, or reaped."""
        return self.pids[0] if self.pids else 0

    @property
    def pidfd(self) -> int:
        """The child's pidfd; -1 without one."""
        return self._pidfds[0] if self._pidfds else -1

    def signal(self, signum: int) -> None:
        """Send a signal to the child, if it is made and has not ended."""
        with self._changing:
            if self.pids:
                try:
                    reaping.send(self.pids[0], self.pidfd, signum)
                except ProcessLookupError:
                    return  # it has ended already

    def give_up(self) -> None:
        """Kill the child, or prevent that it is made; works in any thread."""
        with self._changing:
            self._wanted = False
            self.signal(9)

    def reap(self) -> int | None:
        """Wait for the child's end and return its status; None if other code has reaped it."""
        status = None
        if self.pids:
            try:
                status = reaping.reap(self.pid, self.pidfd, block=True)
            except ChildProcessError:
                status = None
        with self._changing:
            self.pids.clear()
            close(self._pidfds)
        return status

    def end(self) -> None:
        """Kill the child and reap it."""
        self.signal(9)
        self.reap()

    def child(self, process: "Process") -> Child:
        """Return the child for the caller, who owns it once ``pids`` is emptied."""
        with self._changing:
            # The two share the list of the pidfd, so that it is closed only once.
            return Child(process.pid, process.start_time, self._pidfds, lost=not self.pids)

    def read(self, fd: int) -> bool:
        """Read more from a pipe; return whether there may be still more."""
        return bool(_keep(self._chunks, os.read, fd, 65536))

    @property
    def data(self) -> bytes:
        """All bytes read so far."""
        return b"".join(self._chunks)

    def messages(self) -> "Iterator[tuple[str, list[object]]]":
        """Yield (kind, values) of each complete message read (``ssd.starting.report``)."""
        data = self.data
        while len(data) >= report.LENGTH_SIZE:
            end = report.LENGTH_SIZE + int.from_bytes(data[: report.LENGTH_SIZE], "little")
            if len(data) < end:
                return
            kind, *values = marshal.loads(data[report.LENGTH_SIZE : end])
            yield kind, values
            data = data[end:]

    def leave(self) -> None:
        """Have a child without an owner reaped after its end, like a dropped one."""
        if self.pids:
            drop(self.pids[0], self._pidfds)
            self.pids.clear()


def _keep(
    store: "list[Any]", function: "Callable[..., Any]", *arguments: object, **named: object
) -> "Any":
    """Call a function of C and append its result to a list, in one step; return the result."""
    store.extend(starmap(partial(function, **named), [arguments]))
    return store[-1]


def _forget() -> None:
    """Close a forked child's copies of the descriptors: the starts are its parent's."""
    try:
        for start in [each() for each in tuple(_starts)]:
            if start is not None:
                start.close_all_but(-1)
    finally:
        _gate.release()


# No WeakSet: its callbacks are Python, in which an exception of a handler is lost.
_starts: "set[ref[Spawned]]" = set()
_gate = RLock()
os.register_at_fork(before=_gate.acquire, after_in_parent=_gate.release, after_in_child=_forget)

"""Main processes and hooks as a supervisor holds them: its own children, and those of others."""

import os

from ssd.matching import Process
from ssd.processes import reaping
from ssd.processes.waiting import ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.processes.contract import Handle
    from ssd.supervision.watch import Watch


WAITED_FOR: "set[int]" = set()  # pids whose status somebody is to take: leave them alone
# Are called with the pid and the status of a child that nobody waits for, before it is reaped.
WITNESSES: "list[Callable[[int, int], object]]" = []
CHANGES: "list[Callable[[], object]]" = []  # are called after SIGCHLD
HEARERS: "set[int]" = set()  # our pid, if somebody takes that signal and calls them


class Exit:
    """The end of a main process: its ``status`` (as in ``events.Exited``) and the ``time``."""

    __slots__ = ("status", "time")

    def __init__(self, status: int | None, time: float) -> None:
        self.status = status
        self.time = time


class OwnChild(Process):
    """A child of the supervisor: a process, its pidfd, and its status once it is reaped."""

    __slots__ = ("_fd", "status")

    def __init__(self, pid: int, start_time: int, fd: int) -> None:
        """``fd``: its pidfd, -1 without one."""
        super().__init__(pid, start_time)
        self._fd = fd
        self.status: int | None = None
        WAITED_FOR.add(pid)

    @property
    def process(self) -> Process:
        """The child itself: a table asks this of all that it waits for."""
        return self

    def fileno(self) -> int:
        """Return the pidfd, -1 once closed or without one."""
        return self._fd

    def ended(self) -> bool:
        """Tell whether it has ended, reaped or not."""
        if self._fd >= 0:
            return ready([self._fd], 0)
        return self.poll() is not None

    def poll(self) -> int | None:
        """Reap it if it has ended; return its status, or minus the signal's number; else None.

        Raises ChildProcessError if other code has reaped it: nobody knows how it ended.
        """
        if self.status is None:
            self.status = reaping.reap(self.pid, self._fd)
            if self.status is not None:
                WAITED_FOR.discard(self.pid)  # before the kernel gives the pid to another child
        return self.status

    def is_stopped(self) -> bool:
        """Tell whether a signal has stopped it."""
        return is_stopped(self.pid)

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError once it has been reaped."""
        if self.status is not None:
            raise ProcessLookupError(self.pid)
        reaping.send(self.pid, self._fd, signum)

    def close(self) -> None:
        """Close the pidfd; nobody waits for the process any more."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
        if self.status is None:
            WAITED_FOR.discard(self.pid)


class Held(Process):
    """A process that is no child of the supervisor, held as its main process."""

    __slots__ = ("_handle",)

    def __init__(self, handle: "Handle") -> None:
        super().__init__(handle.process.pid, handle.process.start_time)
        self._handle = handle
        WAITED_FOR.add(self.pid)

    @property
    def process(self) -> Process:
        """The process itself."""
        return self

    def fileno(self) -> int:
        """Return a descriptor that is readable once it has ended; -1 without one."""
        return self._handle.fileno()

    def ended(self) -> bool:
        """Tell whether it has ended."""
        return self._handle.ended()

    def poll(self) -> int | None:
        """Return None while it runs, then its status if it has become our child.

        A supervisor gets the orphans of its services (``pid1``). Raises ChildProcessError if it is
        another's child: only its parent learns how it ended.
        """
        if not self._handle.ended():
            return None
        return reaping.reap(self.pid, self._handle.fileno())

    def is_stopped(self) -> bool:
        """Tell whether a signal has stopped it."""
        return is_stopped(self.pid)

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        self._handle.signal(signum)

    def close(self) -> None:
        """Let it go."""
        self._handle.close()
        WAITED_FOR.discard(self.pid)


def is_stopped(pid: int) -> bool:
    """Tell whether a process that is held is stopped, where /proc says it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 :][:1] == b"T"


def reap_when_ended(watch: "Watch", child: "OwnChild | Held") -> None:
    """Reap a process that nothing else waits for, and close it."""

    def ended() -> None:
        try:
            if child.poll() is None:
                return  # it is still held by a tracer (ptrace(2))
        except ChildProcessError:
            pass  # it is no child of ours
        watch.release(child)
        child.close()

    watch.hold(child, ended)

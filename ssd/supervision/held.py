"""Main processes and hooks as a supervisor holds them: its own children, and those of others."""

import os

from ssd.matching import Process
from ssd.processes import reaping
from ssd.processes.waiting import ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import Handle


class OwnChild(Process):
    """A child of the supervisor: a process, its pidfd, and its status once it is reaped."""

    __slots__ = ("_fd", "status")

    def __init__(self, pid: int, start_time: int, fd: int) -> None:
        """``fd``: its pidfd, -1 without one."""
        super().__init__(pid, start_time)
        self._fd = fd
        self.status: int | None = None

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
        return self.status

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError once it has been reaped."""
        if self.status is not None:
            raise ProcessLookupError(self.pid)
        reaping.send(self.pid, self._fd, signum)

    def close(self) -> None:
        """Close the pidfd."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class Held(Process):
    """A process that is no child of the supervisor, held as its main process."""

    __slots__ = ("_handle",)

    def __init__(self, handle: "Handle") -> None:
        super().__init__(handle.process.pid, handle.process.start_time)
        self._handle = handle

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
        """Return None while it runs. Raises ChildProcessError then: only a parent learns more."""
        if not self._handle.ended():
            return None
        raise ChildProcessError(self.pid)

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        self._handle.signal(signum)

    def close(self) -> None:
        """Let it go."""
        self._handle.close()

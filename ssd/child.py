"""A started process that stays the caller's child, and what becomes of those that are dropped."""

import os
import warnings
from _thread import RLock, allocate_lock  # threading's own, without what threading imports

from ssd.processes.handles import pidfd_send_signal
from ssd.processes.identity import Process

_dropped: list[tuple[int, int]] = []  # pid and pidfd of those that ran when they were dropped
_looking = allocate_lock()


class Child(Process):
    """A started process that is a child of the caller, which has to wait for it.

    It holds a pidfd (``fileno()``, readable once the child has ended; -1 where the system
    has none). ``wait`` reaps the child; ``close`` lets the descriptor go. Usable in a with
    statement, which closes and does not wait.

    One that is dropped without either is looked after as by subprocess.Popen: unless it was
    waited for a ResourceWarning tells of it, and the child is reaped and its descriptor closed
    at once if it has ended, else by the next ``ssd.start`` after its end.
    """

    __slots__ = ("_closed", "_pidfd", "_reaping", "status")

    def __init__(self, pid: int, start_time: int, pidfd: int) -> None:
        super().__init__(pid, start_time)
        self._pidfd = pidfd
        self._closed = False
        self._reaping = RLock()
        self.status: int | None = None

    def fileno(self) -> int:
        """Return the pidfd (pidfd_open(2)), -1 where there is none."""
        return self._pidfd

    def wait(self) -> int:
        """Wait for the end, reap, and return the exit status, or minus the signal's number.

        Once reaped, it returns the same again. Raises ChildProcessError if somebody else
        in this process has reaped the child.
        """
        with self._reaping:  # one thread reaps, the others get what it got
            if self.status is None:
                try:
                    _, status = os.waitpid(self.pid, 0)
                except ChildProcessError:
                    if self.status is None:  # a signal handler's wait() may have been quicker
                        raise
                else:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError once the child has been reaped.

        It goes through the pidfd, so it reaches nobody else, whoever reaps the child and
        when. Where there is none, or it was closed, it goes by the pid.
        """
        if self.status is not None:
            raise ProcessLookupError(self.pid)
        send(self.pid, self._pidfd, signum)

    def close(self) -> None:
        """Close the pidfd; the child itself lives on, and is the caller's to reap."""
        self._closed = True
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def __del__(self) -> None:
        """Let go of what nobody has closed."""
        if self._closed:
            return
        if self.status is not None:
            self.close()
            return
        drop(self.pid, self._pidfd)
        text = f"{self!r} was dropped and not waited for"
        warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def send(pid: int, pidfd: int, signum: int) -> None:
    """Send a signal to a child, through its pidfd where there is one."""
    if pidfd >= 0 and pidfd_send_signal is not None:
        pidfd_send_signal(pidfd, signum)
    else:
        os.kill(pid, signum)


def drop(pid: int, pidfd: int) -> None:
    """Reap a child if it has ended, else have it reaped later; close its pidfd then."""
    if _gone(pid, pidfd):
        _close(pidfd)
    else:
        _dropped.append((pid, pidfd))


def reap_dropped() -> None:
    """Reap those that were dropped and have ended since."""
    if not _dropped or not _looking.acquire(blocking=False):
        return  # another thread does it
    try:
        for left in [each for each in _dropped if _gone(*each)]:
            _dropped.remove(left)
            _close(left[1])
    finally:
        _looking.release()


def _gone(pid: int, pidfd: int) -> bool:
    """Reap a child if it has ended; say whether it is gone, by whomever it was reaped."""
    try:
        if pidfd >= 0 and hasattr(os, "P_PIDFD"):  # whoever has the pid by now is spared
            return os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG) is not None
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _close(pidfd: int) -> None:
    if pidfd >= 0:
        os.close(pidfd)

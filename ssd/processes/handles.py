"""Hold a process, so that a signal reaches this process or none.

By a pidfd where the system has them (Linux 5.3), else by the pid and start time, which are checked
before each use. On BSD and macOS by a kqueue: ``ssd.processes.kqueue``.
"""

import errno
import os

from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START
from ssd.processes.waiting import ready

try:
    # The public module signal builds enums, which takes half as long as to start Python.
    import _signal  # type: ignore[import-not-found, unused-ignore]

    pidfd_send_signal = _signal.pidfd_send_signal
except (ImportError, AttributeError):  # another system, or a Python built without it
    pidfd_send_signal = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ssd.matching import Process
    from ssd.processes.contract import Handle, Identify

SPARE_DESCRIPTORS = 16  # are left free, to read /proc

# pidfd_open(2) is not available: an old kernel, or a filter (seccomp(2)).
UNAVAILABLE = (errno.ENOSYS, errno.EPERM)
# The pid belongs to no process, or is the id of a thread.
NO_PROCESS = (errno.ESRCH, errno.EINVAL, errno.ENOENT)


class CheckedHandle:
    """A pid whose owner is looked up by ``identify``, right before each use.

    There is no descriptor to wait on. Between the look and kill(2) the pid can still get another
    owner: this is for systems without anything better, and for more processes than the caller
    may open descriptors.
    """

    def __init__(self, process: "Process", identify: "Identify") -> None:
        self.process = process
        self._identify = identify

    def fileno(self) -> int:
        """Return -1: there is no descriptor."""
        return -1

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        seen = self._identify(self.process.pid)
        if self._has_ended(seen):
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not self.process.is_still(seen):
            text = "the pid belongs to a process that cannot be read: it may be another one"
            raise PermissionError(errno.EPERM, text)
        os.kill(self.process.pid, signum)

    def ended(self) -> bool:
        """Say whether the process has ended; a zombie has, one that is hidden now has not."""
        return self._has_ended(self._identify(self.process.pid))

    def _has_ended(self, seen: "Process | None") -> bool:
        """Say whether the process has ended if ``seen`` has its pid now."""
        known = seen is not None and UNKNOWN_START not in (seen.start_time, self.process.start_time)
        return seen is None or (known and seen != self.process)

    def close(self) -> None:
        """Do nothing: there is no descriptor to close."""

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        self.close()


class DescriptorHandle(CheckedHandle):
    """A process with a descriptor that is readable once it has ended."""

    def __init__(self, process: "Process", identify: "Identify", fd: int) -> None:
        super().__init__(process, identify)
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._fd

    def ended(self) -> bool:
        """Say whether the process has ended. Raises ValueError on a closed handle."""
        return ready([self._fd], 0)

    def close(self) -> None:
        """Close the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class PidfdHandle(DescriptorHandle):
    """A process held by a pidfd, which its pid's next owner does not inherit."""

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        if self.ended():  # the kernel accepts a signal for a zombie without an error
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        pidfd_send_signal(self._fd, signum)


def open_handle(
    process: "Process", identify: "Identify", by: "Callable[..., CheckedHandle] | None" = None
) -> "Handle":
    """Hold a process. ``by`` makes the handle, ``hold`` unless given.

    ``identify`` returns the owner of a pid. It is called once more when the handle is open, to
    prove that the right process is held. Raises ProcessLookupError if it is another.
    """
    handle = (by or hold)(process, identify)
    try:
        if not process.is_still(identify(process.pid)):
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    except BaseException:
        handle.close()
        raise
    return handle


def hold(process: "Process", identify: "Identify") -> CheckedHandle:
    """Make a handle of the process that has the pid now. Raises ProcessLookupError."""
    if pidfd_send_signal is not None:
        fd = pidfd(process.pid)
        if fd is not None and to_spare(fd):
            return PidfdHandle(process, identify, fd)
        if fd is not None:
            os.close(fd)
    return CheckedHandle(process, identify)


def to_spare(fd: int) -> bool:
    """Say whether enough descriptors are left above this one: the lowest free number is given out.

    A thousand processes may match, and the usual limit is 1024 descriptors.
    """
    limit = os.sysconf("SC_OPEN_MAX")
    return limit < 0 or fd < limit - SPARE_DESCRIPTORS


def pidfd(pid: int) -> int | None:
    """Open a pidfd; None where the system has none.

    Raises ProcessLookupError; ProcessTableError if no descriptor or memory is left.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno in NO_PROCESS:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from error
        if error.errno in UNAVAILABLE:
            return None
        raise ProcessTableError(f"unable to open a pidfd: {error.strerror}") from error

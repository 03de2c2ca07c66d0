"""Hold a process on BSD and macOS: by a kqueue that is readable once the process has ended.

See kqueue(2), EVFILT_PROC. These systems have no call that signals by such a descriptor: whether
the process has ended is looked up right before kill(2). Written from the manuals; the project's
tests run on Linux, with a stand-in for these parts of the select module.
"""

import errno
import os

from ssd.errors import EXHAUSTED, ProcessTableError
from ssd.processes.handles import CheckedHandle, DescriptorHandle, to_spare
from ssd.processes.queues import kernel, new_queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.matching import Process
    from ssd.processes.contract import Identify


class KqueueHandle(DescriptorHandle):
    """A process whose end is an event in a kqueue.

    The event is never taken out, so the descriptor stays readable, as a pidfd does. A kqueue is
    not inherited by fork(2): in a child the process is held by its pid and start time.
    """

    def __init__(self, process: "Process", identify: "Identify", queue: "Any") -> None:
        super().__init__(process, identify, queue.fileno())
        self._queue = queue
        self._owner = os.getpid()

    def fileno(self) -> int:
        """Return the descriptor; -1 once closed, and in a child of the process that opened it."""
        return self._fd if self._is_ours() else -1

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        if not self._is_ours():
            super().signal(signum)
        elif self.ended():
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        else:
            os.kill(self.process.pid, signum)

    def ended(self) -> bool:
        """Say whether the process has ended. Raises ValueError on a closed handle."""
        if self._fd >= 0 and not self._is_ours():
            return CheckedHandle.ended(self)
        return super().ended()

    def close(self) -> None:
        """Close the kqueue. In a child another file may have its number."""
        if self._is_ours():
            self._queue.close()
        self._fd = -1

    def _is_ours(self) -> bool:
        """Say whether this process has opened the kqueue."""
        return self._owner == os.getpid()


def hold(process: "Process", identify: "Identify") -> CheckedHandle:
    """Make a handle of the process that has the pid now. Raises ProcessLookupError."""
    queue = watch(process.pid)
    if queue is not None and to_spare(queue.fileno()):
        return KqueueHandle(process, identify, queue)
    if queue is not None:
        queue.close()
    return CheckedHandle(process, identify)


def watch(pid: int) -> "Any":
    """Return a kqueue that watches for the end of a process.

    None if the kernel refuses: some let only the owner watch (EACCES). Raises ProcessLookupError
    if there is no such process; ProcessTableError if no descriptor or memory is left.
    """
    queue = new_queue()
    event = kernel.kevent(
        pid,
        filter=kernel.KQ_FILTER_PROC,
        flags=kernel.KQ_EV_ADD,
        fflags=kernel.KQ_NOTE_EXIT,
    )
    try:
        queue.control([event], 0)  # no room for an event, so that a failure is an OSError
    except BaseException as error:
        queue.close()
        if not isinstance(error, OSError) or isinstance(error, ProcessLookupError):
            raise
        if error.errno in EXHAUSTED:
            text = f"unable to watch process {pid}: {error.strerror}"
            raise ProcessTableError(text) from error
        return None
    return queue

"""Hold a process on BSD and macOS: by a kqueue that is readable once the process has ended.

See kqueue(2), EVFILT_PROC. These systems have no call that signals by such a descriptor:
the owner of the pid is looked up right before kill(2). Written from the manuals; the
project's tests run on Linux, with a stand-in for these parts of the select module.
"""

import errno

from ssd.processes.handles import CheckedHandle, DescriptorHandle
from ssd.processes.waiting import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.matching import Process
    from ssd.processes.contract import Identify

# kevent(2): the caller may not watch that process.
DENIED = (errno.EPERM, errno.EACCES)


class KqueueHandle(DescriptorHandle):
    """A process whose end is an event in a kqueue.

    The event is never taken out, so the descriptor stays readable, as a pidfd does.
    """

    def __init__(self, process: "Process", identify: "Identify", queue: "Any") -> None:
        super().__init__(process, identify, queue.fileno())
        self._queue = queue

    def close(self) -> None:
        """Close the kqueue."""
        self._fd = -1
        self._queue.close()


def hold(process: "Process", identify: "Identify") -> CheckedHandle:
    """Make a handle of the process that has the pid now. Raises ProcessLookupError."""
    queue = watch(process.pid)
    if queue is None:
        return CheckedHandle(process, identify)
    return KqueueHandle(process, identify, queue)


def watch(pid: int) -> "Any":
    """Return a kqueue that watches for the end of a process; None if that is denied.

    Raises ProcessLookupError if there is no such process.
    """
    queue = kernel.kqueue()
    event = kernel.kevent(
        pid,
        filter=kernel.KQ_FILTER_PROC,
        flags=kernel.KQ_EV_ADD,
        fflags=kernel.KQ_NOTE_EXIT,
    )
    try:
        queue.control([event], 0)
    except OSError as error:
        queue.close()
        if error.errno in DENIED:
            return None
        raise
    return queue

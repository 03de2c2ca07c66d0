"""Hold a process on BSD and macOS: a kqueue that its end makes readable.

See kqueue(2), EVFILT_PROC. These systems have no call that signals by such a descriptor:
the owner of the pid is looked up right before kill(2). Written from the manuals; the
project's tests run on Linux, against a stand-in for these parts of the select module.
"""

import errno
import select

from ssd.processes.handles import DescriptorHandle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ssd.matching import Process
    from ssd.processes.handles import Identify

# What the kernel says to a process that may not watch that one.
REFUSED = (errno.EPERM, errno.EACCES)
# typeshed has no kqueue where the checker runs on Linux.
kernel: "Any" = select


class KqueueHandle(DescriptorHandle):
    """A process whose end is an event that waits in a kqueue.

    The event is never taken out, so the descriptor stays readable, as a pidfd does.
    """

    def __init__(self, process: "Process", identify: "Identify", queue: "Any") -> None:
        super().__init__(process, identify, queue.fileno())
        self._queue = queue

    def close(self) -> None:
        """Close the kqueue."""
        self._fd = -1
        self._queue.close()


def watch(pid: int) -> "Any":
    """Return a kqueue that watches for the end of a process; None if that is refused.

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
        if error.errno in REFUSED:
            return None
        raise
    return queue


def ready_queues(descriptors: "Iterable[int]", seconds: float) -> bool:
    """Say whether one of the kqueues has an event, or gets one within the time.

    A kqueue can be watched by another one everywhere; by poll(2) not on all of them.
    """
    queue = kernel.kqueue()
    try:
        events = [kernel.kevent(fd, kernel.KQ_FILTER_READ, kernel.KQ_EV_ADD) for fd in descriptors]
        return bool(queue.control(events, 1, seconds))
    finally:
        queue.close()

"""Kqueues, kqueue(2) of BSD and macOS: make one, and wait for several."""

import select

from ssd.errors import ProcessTableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# typeshed has no kqueue where the checker runs on Linux.
kernel: "Any" = select


def ready_queues(descriptors: "Iterable[int]", seconds: float) -> bool:
    """Say whether one of the kqueues has an event, or gets one within the time.

    Every system can watch a kqueue by another one, but not each by poll(2). Raises
    ProcessTableError if no descriptor or memory is left; ValueError for a closed handle.
    """
    watched = list(descriptors)
    if any(fd < 0 for fd in watched):
        raise ValueError("the descriptor of a closed handle is negative")
    queue = new_queue()
    try:
        if watched:
            # First without room for an answer: a failure would be one, too (EV_ERROR, kqueue(2)).
            read, add = kernel.KQ_FILTER_READ, kernel.KQ_EV_ADD
            queue.control([kernel.kevent(fd, read, add) for fd in watched], 0)
        return bool(queue.control(None, 1, seconds))
    except OSError as error:
        raise ProcessTableError(f"unable to wait by a kqueue: {error.strerror}") from error
    finally:
        queue.close()


def new_queue() -> "Any":
    """Return a new kqueue. Raises ProcessTableError if no descriptor or memory is left."""
    try:
        return kernel.kqueue()
    except OSError as error:
        raise ProcessTableError(f"unable to open a kqueue: {error.strerror}") from error

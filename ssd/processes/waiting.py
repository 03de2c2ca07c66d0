"""Wait for the end of processes, by descriptors where they have one."""

import select
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssd.processes.contract import Handle

POLL_INTERVAL = 0.02  # seconds between two looks at processes without a descriptor
MAX_POLL_TIME = 86400.0  # seconds of one call; poll(2) takes 24 days at most


def wait(handles: "Sequence[Handle]", until: float | None) -> None:
    """Return when one of ``handles`` has ended, or at the time ``until`` (monotonic seconds).

    ``until`` None waits without a limit. Raises ValueError for neither a handle nor a time.
    """
    if until is None and not handles:
        raise ValueError("nothing to wait for")
    descriptors = [handle.fileno() for handle in handles]
    watched = [fd for fd in descriptors if fd >= 0]
    polled = [handle for handle, fd in zip(handles, descriptors) if fd < 0]
    longest = POLL_INTERVAL if polled else MAX_POLL_TIME
    while not any(handle.ended() for handle in polled):
        left = longest if until is None else until - monotonic()
        if ready(watched, min(max(left, 0.0), longest)):
            return
        if until is not None and monotonic() >= until:
            return


def ready(descriptors: "Iterable[int]", seconds: float) -> bool:
    """Say whether one of the descriptors is readable, or becomes so within the time."""
    if hasattr(select, "kqueue"):
        from ssd.processes.queues import ready_queues

        return ready_queues(descriptors, seconds)
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))

"""Processes that are there and may not be seen: /proc mounted with hidepid (proc(5))."""

import os

from ssd.processes.identity import UNKNOWN_START, Process
from ssd.processes.waiting import ready


def hidden(pid: int) -> Process | None:
    """Return a process that the caller may not see (proc(5), hidepid) but that is there.

    kill(2) refuses instead of finding nobody, which the original takes for running too; a
    pidfd tells whether it has ended, where there are any.
    """
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return None
    else:
        return None  # ours, so it would be seen: it has come and gone, or is a thread
    from ssd.processes.handles import pidfd  # hardly anybody gets here

    try:
        fd = pidfd(pid)
    except ProcessLookupError:
        return None  # a thread's id, or it has ended by now
    if fd is not None:
        try:
            if ready([fd], 0):
                return None
        finally:
            os.close(fd)
    return Process(pid, UNKNOWN_START)

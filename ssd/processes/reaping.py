"""Wait for children and signal them, each by its pidfd where there is one.

By its number a child can be waited for only while nobody else in the process reaps it: the
kernel then gives the number away, and the next wait for it is for another child.
"""

import errno
import os
from collections import deque

from ssd.processes.handles import pidfd_send_signal

# Linux 5.3 has pidfds and cannot wait by one (waitid(2), P_PIDFD).
_BY_PIDFD = hasattr(os, "pidfd_open") and hasattr(os, "P_PIDFD")


def reap(pid: int, pidfd: int, block: bool = False) -> int | None:
    """Reap a child and return its exit status, or minus the number of the signal that ended it.

    None while it runs, unless it is to ``block``. ``pidfd`` -1: there is none. Raises
    ChildProcessError if it is no child of ours any more.
    """
    if pidfd >= 0 and _BY_PIDFD:
        try:
            found = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | (0 if block else os.WNOHANG))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        else:
            return None if found is None else _status(found)
    gone, status = os.waitpid(pid, 0 if block else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if gone else None


def await_end(pid: int, pidfd: int) -> None:
    """Return when a child has ended, and leave it to be reaped; at once if it is none of ours."""
    kinds = [(os.P_PID, pid)]
    if pidfd >= 0 and _BY_PIDFD:
        kinds.insert(0, (os.P_PIDFD, pidfd))
    for kind, number in kinds:
        try:
            os.waitid(kind, number, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        else:
            return


def is_ours(pid: int, pidfd: int) -> bool:
    """Say whether a child is still ours to reap, so that its pid is still its own.

    By its pidfd, which is at hand where the system has any.
    """
    if pidfd < 0 or not _BY_PIDFD:
        return True
    try:
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return True


def send(pid: int, pidfd: int, signum: int) -> None:
    """Send a signal to a child. Raises ProcessLookupError once it has been reaped."""
    if pidfd >= 0 and pidfd_send_signal is not None:
        pidfd_send_signal(pidfd, signum)
    else:
        os.kill(pid, signum)


def close(fds: list[int], index: int = 0) -> None:
    """Take a descriptor from a list and close it, in one step and only once; an empty one is fine.

    Several may share the list, and a signal handler may raise before or after it, not within.
    """
    if fds:
        deque(map(os.close, map(fds.pop, [index])), 0)


def _status(found: "os.waitid_result") -> int:
    """Return what waitstatus_to_exitcode would of what waitid(2) has told."""
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

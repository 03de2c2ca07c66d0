"""Wait for children and signal them, each by its pidfd where there is one.

A wait by pid is safe only while no other code of the process reaps the child: the kernel may
then give its pid to another child, and the next wait is for that one.
"""

import errno
import os

from ssd.processes.handles import pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

# Linux 5.3 has pidfds and cannot wait by one (waitid(2), P_PIDFD).
_BY_PIDFD = hasattr(os, "pidfd_open") and hasattr(os, "P_PIDFD")


def reap(pid: int, pidfd: int, block: bool = False) -> int | None:
    """Reap a child and return its exit status, or minus the number of the signal that ended it.

    None while it runs, unless ``block`` is given. ``pidfd`` -1 means that there is none. Raises
    ChildProcessError if other code has reaped it.
    """
    if pidfd >= 0 and _BY_PIDFD:
        try:
            found = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | (0 if block else os.WNOHANG))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        else:
            return None if found is None else status_of(found)
    gone, status = os.waitpid(pid, 0 if block else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if gone else None


def reap_strangers(
    waited_for: "Container[int]", witnesses: "Iterable[Callable[[int, int], object]]" = ()
) -> bool:
    """Reap the ended children whose pids are not in ``waited_for``; never waits.

    ``witnesses`` are called with the pid and the status of each. The kernel shows one ended child
    at a time. If that is one that is waited for, the status must be taken first: return False.
    """
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None:
                return True
            if found.si_pid in waited_for:
                return False
            for witness in witnesses:
                witness(found.si_pid, status_of(found))
            os.waitpid(found.si_pid, os.WNOHANG)
        except ChildProcessError:
            return True


def await_end(pid: int, pidfd: int) -> None:
    """Return when a child has ended, without reaping it; at once if it was reaped already."""
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


def is_ended_child(pid: int) -> bool:
    """Say whether a pid is that of a child that has ended and has not been reaped."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def is_ours(pid: int, pidfd: int) -> bool:
    """Say whether a child has not been reaped, so that its pid is still its own.

    Asks by its pidfd; without one the answer is True.
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
    """Take a descriptor from a list and close it, once and in one step; the list may be empty.

    Several owners may share the list. A signal handler may raise before or after this step, but
    not within it.
    """
    if fds:
        list(map(os.close, map(fds.pop, [index])))


def status_of(found: "os.waitid_result") -> int:
    """Return the result of waitid(2) as os.waitstatus_to_exitcode returns a status."""
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

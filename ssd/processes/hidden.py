"""Processes that run but that the caller may not see: /proc mounted with hidepid (proc(5))."""

import os

from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START, Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Criteria
    from ssd.processes.contract import ProcessTable

    Vanished = tuple[type[Exception], ...]


def may_be(one: Process, other: Process) -> bool:
    """Say whether both may be one process: same pid, and no two different start times."""
    starts = {one.start_time, other.start_time}
    return one.pid == other.pid and (len(starts) == 1 or UNKNOWN_START in starts)


def as_seen(process: Process, table: "ProcessTable") -> Process:
    """Return a process that was just started as the caller sees it: maybe without a start time.

    One example is a process that is not dumpable because its user may not read the executable.
    """
    try:
        seen = table.process(process.pid)
    except ProcessTableError:  # no /proc at all
        return process
    return seen if seen is not None and may_be(process, seen) else process


def unreadable(
    criteria: "Criteria", look: "Callable[[], Process | None]", vanished: "Vanished"
) -> bool:
    """Say whether ``criteria.pid`` lives and not enough of it can be read to decide.

    ``look`` raises one of ``vanished`` where something cannot be read.
    """
    try:
        look()
    except vanished:
        return not (criteria.bare or unread(criteria.pid or 0, look, vanished)[1])
    return False


def unread(
    pid: int, again: "Callable[[], Process | None]", vanished: "Vanished"
) -> tuple[Process | None, bool]:
    """Return the process with a pid that could not be read, and whether it can be read now.

    | the pid belongs to | process | readable |
    |---|---|---|
    | no process, a zombie or a thread | None | yes |
    | a process that began after the look | what ``again`` returns | yes |
    | a process that the caller may not read | that one, with UNKNOWN_START | no |

    ``again`` looks once more. It raises one of ``vanished`` if the caller may not read all.
    """
    unseen = hidden_process(pid)
    if unseen is None:
        return None, True
    try:
        return again(), True
    except vanished:
        return unseen, False


def hidden_process(pid: int) -> Process | None:
    """Return the running process with a pid, whether or not /proc shows it.

    start-stop-daemon asks kill(2) and nothing else. With hidepid, /proc shows only what the caller
    may trace (ptrace(2)): no process that is not dumpable, and to a root without CAP_SYS_PTRACE
    no other user's. A pidfd, if the system has them, reveals a zombie or a thread.
    """
    if pid <= 0:  # kill(2) would take it for a group
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return None
    from ssd.processes.handles import pidfd
    from ssd.processes.waiting import ready

    try:
        fd = pidfd(pid)
    except ProcessLookupError:
        return None  # a thread, or it has ended
    if fd is not None:
        try:
            if ready([fd], 0):
                return None
        finally:
            os.close(fd)
    return Process(pid, UNKNOWN_START)

"""Processes that are there and may not be seen: /proc mounted with hidepid (proc(5))."""

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
    """Say whether nothing known speaks against both being one process."""
    starts = {one.start_time, other.start_time}
    return one.pid == other.pid and (len(starts) == 1 or UNKNOWN_START in starts)


def as_seen(process: Process, table: "ProcessTable") -> Process:
    """Return a process that has just begun as the caller knows it, who may not see it.

    An executable that its user may not read makes one that is not dumpable, say.
    """
    try:
        seen = table.process(process.pid)
    except ProcessTableError:
        return process  # no /proc at all
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
    """Decide on a pid of which something could not be read: who has it, and if he is readable.

    | who has the pid | is | readable |
    |---|---|---|
    | nobody, a zombie, a thread | None | yes |
    | somebody who came after the look | what ``again`` says | yes |
    | somebody of whom not all may be read | that one, UNKNOWN_START | no |

    ``again`` looks once more; it raises one of ``vanished`` where the caller may not.
    """
    unseen = hidden_process(pid)
    if unseen is None:
        return None, True
    try:
        return again(), True
    except vanished:
        return unseen, False


def hidden_process(pid: int) -> Process | None:
    """Return a process that the caller may not see (proc(5), hidepid) but that is there.

    That kill(2) finds somebody is all the original knows of any process. It is no proof that
    /proc would show him: hidepid goes by who may trace (ptrace(2)), which is neither a
    process that is not dumpable nor, for a root without CAP_SYS_PTRACE, another user's. A
    pidfd tells whether he has ended, and that he is no thread, where there are any.
    """
    if pid <= 0:  # a group of processes, for kill(2)
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (ProcessLookupError, OverflowError):
        return None
    # Hardly anybody gets here.
    from ssd.processes.handles import pidfd
    from ssd.processes.waiting import ready

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

"""Hold a program that was just started, also where /proc does not show it, or cannot be read."""

import os

from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START
from ssd.processes.handles import CheckedHandle, PidfdHandle, pidfd
from ssd.processes.hidden import may_be

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import Handle, ProcessTable


def hold(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle of a program that was just started, even if /proc hides it (proc(5), hidepid).

    If the table cannot be read, the pid is enough, because the program is known to be started.
    Raises ProcessLookupError if it has ended.
    """
    try:
        return _held(process, table)
    except ProcessTableError:
        return _held_unseen(process, table)


def _held(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle by the table. Raises ProcessLookupError and ProcessTableError."""
    try:
        return table.open(process)
    except ProcessLookupError:
        seen = table.process(process.pid)
        if seen is None or not may_be(process, seen):
            raise
        return table.open(seen)


def _held_unseen(process: "Process", table: "ProcessTable") -> "Handle":
    """Open a handle by pidfd, start time or pid alone. Raises ProcessLookupError."""

    def identify(pid: int) -> "Process | None":
        if process.start_time == UNKNOWN_START:
            return process if _exists(pid) else None
        try:
            return table.process(pid)
        except ProcessTableError:  # kill(2) needs neither memory nor /proc
            return process if _exists(pid) else None

    try:
        fd = pidfd(process.pid)
    except ProcessTableError:  # no descriptor or memory is left: poll
        fd = None
    return CheckedHandle(process, identify) if fd is None else PidfdHandle(process, identify, fd)


def _exists(pid: int) -> bool:
    """Return whether a process, or a zombie, has the pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

"""Start a program that goes to the background by itself, and wait until it has done so.

Such a daemon ends its first process once the one that stays is ready, and writes its pidfile
itself. Its first process is a child of ours, so that we learn how it has ended.
"""

import os

from ssd.errors import AlreadyRunning, Error
from ssd.processes import own
from ssd.starting import report
from ssd.starting.leash import Leash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ssd.identity import Process
    from ssd.starting import Start


class DetachFailed(Error):
    """The program ended with a status that is not 0 instead of going to the background."""

    def __init__(self, status: int) -> None:
        how = f"status {status}" if status >= 0 else f"signal {-status}"
        super().__init__(f"the program ended with {how} before it was in the background")
        self.status = status


def start_forking(work: "Start") -> "Process | None":
    """Start the program; return the daemon that ``work.match`` finds then, None if none yet.

    Only for a process with a single thread. Raises what ``Start.run`` raises, and
    DetachFailed.
    """
    lock = work.lock()
    try:
        found = work.running()
        if found:
            raise AlreadyRunning(found)
        status = _run(work)
    finally:
        if lock is not None:
            lock.release()
    if status:
        raise DetachFailed(status)
    return next(iter(work.running()), None)


def _run(work: "Start") -> int:
    """Run the program as a child and return how it has ended. Raises StartFailed."""
    leash = Leash()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _become(work, writing, leash)
    os.close(writing)
    told = report.Told()
    try:
        for kind, values in report.receive(reading):
            if kind == "warning":
                work.warn(*values)  # type: ignore[arg-type]
            told.take(kind, values)
    finally:
        os.close(reading)
        leash.close()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if told.failure is not None:
        raise told.failure
    return status


def _become(work: "Start", writing: int, leash: Leash) -> "NoReturn":
    """Be the child: become the program, and report what fails on the way."""

    def executing() -> None:
        leash.loose()
        report.send(writing, "executing")

    try:
        leash.put_on()
        report.send_self(writing, own(work.table))
        work.executing = executing
        work.warn = lambda *warning: report.send(writing, "warning", *warning)
        work.become()
    except BaseException as error:  # noqa: BLE001 - it goes to the one who waits for it
        report.send_error(writing, error)
    finally:
        os._exit(2)

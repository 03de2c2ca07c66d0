"""The wait for a lock that another start holds: for a time, and without harm to the caller.

flock(2) knows no time. A process of our own has it interrupted by SIGALRM; in anybody else's
that signal is not ours, nor does it reach the thread that waits, so there we ask again and again.
"""

import fcntl
from time import monotonic, sleep

from ssd.errors import StartBlocked
from ssd.schedule import WAIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

    from ssd.schedule import Schedule

BRIEFLY = 0.5  # seconds
MOST = 60.0  # seconds; a start holds its lock for a few hundredths of one
PAUSE = 0.01  # seconds between two questions
AGAIN = 1.0  # seconds after which the alarm rings again


def wait(fd: int, path: str, seconds: float | None) -> None:
    """Lock a descriptor as soon as it is free. Raises StartBlocked when the time is up.

    ``seconds`` None: MOST of them, by the alarm of this process, which is ours. Infinity: as
    long as it takes.
    """
    if seconds is None:
        _wait_for_alarm(fd, path)
    elif seconds == float("inf"):
        fcntl.flock(fd, fcntl.LOCK_EX)
    else:
        _ask(fd, path, seconds)


def of_stop(schedule: "Schedule") -> float:
    """Return how many seconds a stop waits for a start that holds the lock."""
    if schedule.repeat is not None:
        return MOST
    waits = sum(value for kind, value in schedule.steps if kind == WAIT)
    return min(max(BRIEFLY, waits), MOST)


def _ask(fd: int, path: str, seconds: float) -> None:
    """Ask for the lock again and again."""
    until = monotonic() + seconds
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = until - monotonic()
        if left <= 0:
            raise StartBlocked(path, seconds)
        sleep(min(left, PAUSE))


def _wait_for_alarm(fd: int, path: str) -> None:
    """Wait for the lock until the alarm rings."""
    from ssd.signals import raw as signals

    def ring(signum: int, frame: "FrameType | None") -> "NoReturn":
        signals.setitimer(signals.ITIMER_REAL, 0)
        raise StartBlocked(path, MOST)

    before = signals.signal(signals.SIGALRM, ring)
    # The caller may have left it blocked, as a program does that calls sigwait(3).
    mask = signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
    # Again and again: one ring alone is lost on flock(2), should it come right before that.
    signals.setitimer(signals.ITIMER_REAL, MOST, AGAIN)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    finally:
        # Ignored first: an alarm that rings now must not take the lock away that was won.
        signals.signal(signals.SIGALRM, signals.SIG_IGN)
        signals.setitimer(signals.ITIMER_REAL, 0)
        signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        signals.signal(signals.SIGALRM, before)

"""Wait for a lock that another start holds, for a limited time.

flock(2) has no timeout. A process that is ours interrupts it by SIGALRM. In any other process
that signal is not ours to use, and may reach another thread, so there the lock is polled.
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

LOCK_TIMEOUT = 60.0  # seconds; a start holds its lock for a few hundredths of a second
MIN_STOP_TIMEOUT = 0.5  # seconds
POLL_INTERVAL = 0.01  # seconds
ALARM_INTERVAL = 1.0  # seconds until SIGALRM is sent again


def wait(fd: int, path: str, timeout: float | None) -> None:
    """Lock a descriptor as soon as it is free. Raises StartBlocked when the time is up.

    ``timeout``: seconds, which may be infinite; None means LOCK_TIMEOUT, kept by SIGALRM, which
    only a process that is ours may use.
    """
    if timeout is None:
        _wait_for_alarm(fd, path)
    elif timeout == float("inf"):
        fcntl.flock(fd, fcntl.LOCK_EX)
    else:
        _poll(fd, path, timeout)


def stop_timeout(schedule: "Schedule") -> float:
    """Return how many seconds a stop waits for a start that holds the lock."""
    if schedule.repeat is not None:
        return LOCK_TIMEOUT
    waits = sum(value for kind, value in schedule.steps if kind == WAIT)
    return min(max(MIN_STOP_TIMEOUT, waits), LOCK_TIMEOUT)


def _poll(fd: int, path: str, timeout: float) -> None:
    """Try again and again until the time is up."""
    until = monotonic() + timeout
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = until - monotonic()
        if left <= 0:
            raise StartBlocked(path, timeout)
        sleep(min(left, POLL_INTERVAL))


def _wait_for_alarm(fd: int, path: str) -> None:
    """Wait for the lock until SIGALRM interrupts flock(2)."""
    from ssd.signals import raw as signals

    def ring(signum: int, frame: "FrameType | None") -> "NoReturn":
        signals.setitimer(signals.ITIMER_REAL, 0)
        raise StartBlocked(path, LOCK_TIMEOUT)

    before = signals.signal(signals.SIGALRM, ring)
    # It may be blocked, as by a caller that uses sigwait(3).
    mask = signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
    # Repeated: a single signal right before flock(2) would not interrupt it.
    signals.setitimer(signals.ITIMER_REAL, LOCK_TIMEOUT, ALARM_INTERVAL)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    finally:
        # Ignored first: a signal that comes now must not lose the lock that was just taken.
        signals.signal(signals.SIGALRM, signals.SIG_IGN)
        signals.setitimer(signals.ITIMER_REAL, 0)
        signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        signals.signal(signals.SIGALRM, before)

"""The wait for a lock of another start: it ends, and restores the caller's signals."""

import fcntl
import signal
import threading
from math import inf
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, python
from kit.leaks import nothing_left
from kit.libc import Watch
from kit.locks import take

from ssd.errors import StartBlocked
from ssd.pidfile import lock_waiting
from ssd.pidfile.locking import Lock

# Waits for a lock with a timeout, while the caller has blocked SIGALRM.
BLOCKED = """
import signal, sys
from ssd.pidfile import locking, lock_waiting
from ssd.errors import StartBlocked
from ssd.matching import Criteria, Match
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
lock_waiting.LOCK_TIMEOUT = 0.05
try:
    locking.acquire(Match(pidfile=sys.argv[1]), Criteria())
except StartBlocked:
    print("blocked")
"""


def test_blocked_alarm_still_ends_the_wait(tmp_path: Path) -> None:
    """A process inherits its mask of blocked signals by execve(2)."""
    lock = take(tmp_path / "x.pid")
    said = python(BLOCKED, tmp_path / "x.pid").stdout
    lock.release()
    assert b"blocked\n" == said


def test_alarm_is_repeated_until_it_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single signal right before flock(2) would be lost, and the wait would never end."""
    monkeypatch.setattr(lock_waiting, "LOCK_TIMEOUT", 0.1)
    monkeypatch.setattr(lock_waiting, "ALARM_INTERVAL", 0.001)

    class Deaf:
        """An fcntl whose flock the first signal does not interrupt, as if it had come before."""

        LOCK_EX = fcntl.LOCK_EX

        def flock(self, fd: int, how: int) -> None:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            for ring in ("first", "second"):
                assert signal.sigtimedwait([signal.SIGALRM], 20), f"the {ring} ring does not come"
            handler = signal.getsignal(signal.SIGALRM)
            assert callable(handler)
            handler(signal.SIGALRM, None)

    monkeypatch.setattr(lock_waiting, "fcntl", Deaf())
    lock = take(tmp_path / "x.pid")
    with nothing_left(), pytest.raises(StartBlocked):
        take(tmp_path / "x.pid")
    lock.release()
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)


def test_end_of_the_time_restores_the_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """StartBlocked has the lock and the seconds; handler and timer are as before."""
    monkeypatch.setattr(lock_waiting, "LOCK_TIMEOUT", 0.05)
    lock = take(tmp_path / "x.pid")
    before = signal.getsignal(signal.SIGALRM)
    with nothing_left(), pytest.raises(StartBlocked) as caught:
        take(tmp_path / "x.pid")
    lock.release()
    assert (lock.path, 0.05) == (caught.value.path, caught.value.seconds)
    assert (before, (0.0, 0.0)) == (
        signal.getsignal(signal.SIGALRM),
        signal.getitimer(signal.ITIMER_REAL),
    )


def test_thread_can_wait_without_an_alarm(tmp_path: Path) -> None:
    """Only the main thread handles signals, so the library waits without them."""
    lock = take(tmp_path / "x.pid")
    taken: list[Lock] = []
    with Watch(Path(lock.path).parent, Watch.OPEN) as watch:
        wait = lambda: taken.append(take(tmp_path / "x.pid", timeout=inf))  # noqa: E731
        thread = threading.Thread(target=wait)
        thread.start()
        watch.until(Path(lock.path).name)
        lock.release()
        thread.join(WAIT_TIMEOUT)
    assert 1 == len(taken)
    taken[0].release()


def test_thread_can_wait_with_a_timeout(tmp_path: Path) -> None:
    """StartBlocked is raised after the given seconds, without an alarm."""
    lock = take(tmp_path / "x.pid")
    failures: list[StartBlocked] = []

    def wait() -> None:
        try:
            take(tmp_path / "x.pid", timeout=0.05)
        except StartBlocked as error:
            failures.append(error)

    with nothing_left():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(WAIT_TIMEOUT)
    lock.release()
    assert [(lock.path, 0.05)] == [(error.path, error.seconds) for error in failures]


def test_lock_timeout_is_a_minute() -> None:
    """A start holds its lock for hundredths of a second, so a minute is ample."""
    assert 60.0 == lock_waiting.LOCK_TIMEOUT

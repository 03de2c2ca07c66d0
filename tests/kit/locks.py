"""Locks of a start: taken in this process, in another one, and for a moment."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ssd.matching import Criteria, Match
from ssd.pidfile.locking import Lock, acquire

HOLD = """
import sys
from ssd.pidfile import locking
from ssd.matching import Criteria, Match
lock = locking.acquire(Match(pidfile=sys.argv[1]), Criteria())
print("held", flush=True)
sys.stdin.read()
lock.release()
"""
# Prints whether a lock is free, held by another process, or impossible.
TRY = """
import sys
from ssd.pidfile import locking
from ssd.errors import StartBlocked
from ssd.matching import Criteria, Match
try:
    locking.acquire(Match(pidfile=sys.argv[1]), Criteria(), timeout=0).release()
    print("free")
except (StartBlocked, locking.NoLock) as error:
    print(type(error).__name__)
"""


def take(path: str | Path, **options: Any) -> Lock:
    """Take the lock of a pidfile in this process."""
    lock = acquire(Match(pidfile=path), Criteria(), **options)
    assert lock is not None
    return lock


def lock_file(path: str | Path) -> Path:
    """Return the path of this process's lock for a pidfile; it is taken for a moment."""
    lock = take(path)
    lock.release()
    return Path(lock.path)


@contextmanager
def holder(path: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that holds the lock of a pidfile until its stdin is closed."""
    command = [sys.executable, "-c", HOLD, str(path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[bytes]) -> bytes:
    """Read one line of a process's output."""
    assert process.stdout is not None
    return process.stdout.readline()

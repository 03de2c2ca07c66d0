"""The lock of the only supervisor of a directory: a file that the kernel locks (flock(2))."""

import errno
import fcntl
import os
from time import monotonic, sleep

from ssd.processes import default_table

STARTING = 5.0  # seconds, between a fork(2) and its execve(2)
POLL_INTERVAL = 0.002  # seconds: the kernel tells nobody else of the end of a start
_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def take(name: str, directory: int) -> "tuple[int, int]":
    """Take a lock, a file in a directory; return its descriptor, -1 if another process has it.

    With it comes the pid of who has it or had it, 0 if that is unknown, -1 if nobody ever had it.
    A supervisor that was killed while it started a program leaves a copy to that until execve(2),
    when others can see whose it is: this waits until then. Raises OSError.
    """
    try:
        fd, pid = os.open(name, _LOCK | os.O_EXCL, 0o600, dir_fd=directory), -1
    except FileExistsError:
        fd, pid = os.open(name, _LOCK, 0o600, dir_fd=directory), 0
    try:
        until = monotonic() + STARTING
        while not _lock(fd):
            pid = _signed(fd)
            if default_table().process(pid) is not None or monotonic() > until:
                os.close(fd)
                return -1, pid
            sleep(POLL_INTERVAL)
        _sign(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd, pid


def _signed(fd: int) -> int:
    said = os.pread(fd, 20, 0).strip()
    return int(said) if said.isdigit() else 0


def _sign(fd: int) -> None:
    """Write our pid into the lock, for the message of who is refused.

    In place of another pid, so that a full disk has room for it; a first one may find none.
    """
    try:
        os.pwrite(fd, b"%-19d\n" % os.getpid(), 0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _lock(fd: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

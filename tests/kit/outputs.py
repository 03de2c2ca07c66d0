"""Logs under a test: a loop that drives them, what they report, and a death at each system call."""

import contextlib
import os
import select
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ssd.logs import Log, Logs

TIMEOUT = 60  # seconds; a wait that takes longer has failed
# What changes a file or moves its contents: a process may die before any of these.
CALLS = ("splice", "pwrite", "pread", "write", "read", "ftruncate", "rename", "unlink", "open")


class Loop:
    """A watch on one epoll(7), as a supervisor's."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.calls: dict[int, Callable[[], object]] = {}

    def add(self, fd: int, call: Callable[[], object], writing: bool = False) -> None:
        """See Watch."""
        self.epoll.register(fd, select.EPOLLOUT if writing else select.EPOLLIN)
        self.calls[fd] = call

    def remove(self, fd: int) -> None:
        """See Watch."""
        self.epoll.unregister(fd)
        del self.calls[fd]

    def turn(self, seconds: float = 0) -> int:
        """Make the calls that are due; return how many."""
        due = self.epoll.poll(seconds)
        for fd, _ in due:
            if fd in self.calls:
                self.calls[fd]()
        return len(due)

    def until_idle(self) -> int:
        """Take turns until nothing is due; return how many. Fail if that never happens."""
        for turns in range(100_000):
            if not self.turn():
                return turns
        raise AssertionError("it is never idle")

    def until(self, ready: Callable[[], object]) -> None:
        """Take turns until something holds."""
        while not ready():
            assert self.turn(TIMEOUT), "nothing happens"


class Bench:
    """Logs in a directory, with a clock that stands, and what they have reported."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.directory = directory
        self.loop = Loop()
        self.reports: list[tuple[str, str, str]] = []
        self.time = 1_000_000_000.25  # 2001-09-09T01:46:40 UTC
        self.logs = Logs(
            lambda *report: self.reports.append(report),
            watch=self.loop,
            now=lambda: self.time,
            clock=lambda: self.time,
            **options,
        )
        self.opened: list[Log] = []

    def log(self, name: str = "web", **declaration: Any) -> Log:
        """Return the log of a service, prepared."""
        base = self.directory / name
        log = Log(self.logs, name, declaration, f"{base}.fifo", f"{base}.log")
        self.opened.append(log)
        log.prepare()
        return log

    def write(self, log: Log, text: bytes, stderr: bool = False) -> None:
        """Write as the service does, and let it be read."""
        with outputs(log) as (out, err):
            os.write(err if stderr else out, text)
        self.loop.until_idle()

    def close(self) -> None:
        """Close everything."""
        for log in self.opened:
            log.close()
        self.logs.close()
        self.loop.epoll.close()


@contextlib.contextmanager
def bench(directory: Path, **options: Any) -> Iterator[Bench]:
    """Open a Bench and close it."""
    made = Bench(directory, **options)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def outputs(log: Log) -> Iterator[tuple[int, int]]:
    """Open stdout and stderr of a service, as a start does."""
    fds = log.child_descriptors()
    try:
        yield fds
    finally:
        for fd in set(fds):
            os.close(fd)


def written(directory: Path, base: str = "web.log") -> bytes:
    """Return all that a log holds, the rotated files first."""
    files = [directory / base, *rotated(directory, base)]
    return b"".join(file.read_bytes() for file in reversed(files) if file.exists())


def rotated(directory: Path, base: str = "web.log") -> list[Path]:
    """Return the rotated files, the newest first."""
    found = [file for file in directory.glob(f"{base}.*") if file.suffix[1:].isdigit()]
    return sorted(found, key=lambda file: int(file.suffix[1:]))


def dies_before(number: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed before a certain system call; tell whether it was.

    The calls of CALLS are counted from 1. Without so many, the work is done.
    """
    pid = os.fork()
    if not pid:
        status = 1
        try:
            _arm(number)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - a child must not go on as the test
            traceback.print_exc()
        finally:
            os._exit(status)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert ended in (0, -signal.SIGKILL)
    return ended != 0


def _arm(number: int) -> None:
    """Count the calls that this process makes, and end it before one of them."""
    left = [number]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))

"""The mark that all descendants of a process have, and nobody else."""

import os
import resource
import signal

import pytest

from ssd.upstart.following import marks
from ssd.upstart.following.marks import SPAN, Marks

SOFT, HARD = resource.getrlimit(resource.RLIMIT_SIGPENDING)


class Child:
    """A child that was marked, and has ended; not reaped until the end of the block."""

    def __init__(self, given: Marks) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            given.apply()
            grandchild = os.fork()
            if grandchild:
                os.waitpid(grandchild, 0)
            os._exit(0)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def __enter__(self) -> int:
        return self.pid

    def __exit__(self, *raised: object) -> None:
        os.waitpid(self.pid, 0)


def test_mark_is_seen_on_a_zombie() -> None:
    """Its limit is lower by the number of its start, and the next one gets another."""
    given = Marks()
    values = []
    for _ in range(3):
        with Child(given) as pid:
            mark = given.take(pid, {})
            assert mark is not None
            assert marks.of(pid) == mark.value
            assert mark.original == marks.of(os.getpid())
            values.append(mark.value)
    assert [1, 1] == [before - after for before, after in zip(values, values[1:], strict=False)]
    assert (SOFT, HARD) == resource.getrlimit(resource.RLIMIT_SIGPENDING)


def test_numbers_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a span of them."""
    monkeypatch.setattr(marks, "SPAN", 2)
    given = Marks()
    found = []
    for _ in range(3):
        with Child(given) as pid:
            mark = given.take(pid, {})
            found.append(mark and mark.original - mark.value)
    assert [1, 2, 1] == found


def test_process_without_a_mark_has_none() -> None:
    """One that was not marked; nor is there one below a low limit."""
    given = Marks()
    assert given.take(os.getpid(), {}) is None
    assert given.take(1 << 30, {}) is None
    low = {"sigpending": (SPAN, SPAN)}
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_SIGPENDING, low["sigpending"])
        given.apply()
        os._exit(resource.getrlimit(resource.RLIMIT_SIGPENDING)[0] == SPAN)
    assert 1 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_mark_counts_from_the_limit_that_a_job_declares() -> None:
    """It is applied after that."""
    given = Marks()
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_SIGPENDING, (5000, HARD))
        given.apply()
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    mark = given.take(pid, {"sigpending": (5000, -1)})
    os.waitpid(pid, 0)
    assert mark is not None
    assert (4999, 5000) == (mark.value, mark.original)


def test_removed_mark_leaves_the_limit_of_before() -> None:
    """Of a process that lives; nothing happens to one that has ended."""
    reading, writing = os.pipe()
    given = Marks()
    pid = os.fork()
    if pid == 0:
        given.apply()
        os.write(writing, b"x")
        signal.pause()
    os.read(reading, 1)
    mark = given.take(pid, {})
    assert mark is not None
    mark.remove(pid)
    assert mark.original == marks.of(pid)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    mark.remove(pid)
    os.close(reading)
    os.close(writing)

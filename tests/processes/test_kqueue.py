"""Processes are held by kqueues on BSD and macOS; a stand-in replaces the kernel's part.

It shows that events are asked for as kqueue(2) says, and what becomes of the answers; that
a real kernel agrees is not shown here.
"""

import errno
import os
import select
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from ssd.matching import Process
from ssd.processes import handles, table_named
from ssd.processes.kqueue import KqueueHandle, hold
from ssd.processes.waiting import wait

PROC, READ, ADD, NOTE_EXIT = -5, -1, 1, 0x80000000


class Event(NamedTuple):
    """The used members of a struct kevent."""

    ident: int
    filter: int = READ
    flags: int = 0
    fflags: int = 0


class Kernel:
    """The processes that live, and the kqueues that watch them."""

    def __init__(self) -> None:
        self.living: set[int] = set()
        self.refuses: int | None = None
        self.queues: dict[int, Queue] = {}


class Queue:
    """A kqueue. Its descriptor is a real one, so that closing it twice would be noticed."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.fd = os.open(os.devnull, os.O_RDONLY)
        self.watched: list[Event] = []
        kernel.queues[self.fd] = self

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.fd

    def close(self) -> None:
        """Close the descriptor."""
        if self.kernel.queues.pop(self.fd, None):
            os.close(self.fd)

    def control(self, changes: list[Event], most: int, timeout: float | None = None) -> list[Event]:
        """Register events, then return those that have happened."""
        for event in changes:
            if event.filter == PROC and self.kernel.refuses is not None:
                raise OSError(self.kernel.refuses, os.strerror(self.kernel.refuses))
            if event.filter == PROC and event.ident not in self.kernel.living:
                raise ProcessLookupError(errno.ESRCH, "No such process")
            if event.filter == READ and event.ident < 0:
                raise ValueError("negative file descriptor")
            assert event.flags == ADD
            self.watched.append(event)
        return [event for event in self.watched if self._there(event)][:most]

    def _there(self, event: Event) -> bool:
        """Say whether an event has happened."""
        if event.filter == PROC:
            return event.fflags == NOTE_EXIT and event.ident not in self.kernel.living
        return bool(self.kernel.queues[event.ident].control([], 1))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """Give the select module what it has on BSD."""
    kernel = Kernel()
    parts = {
        "kqueue": lambda: Queue(kernel),
        "kevent": lambda ident, filter=READ, flags=0, fflags=0: Event(ident, filter, flags, fflags),
        "KQ_FILTER_PROC": PROC,
        "KQ_FILTER_READ": READ,
        "KQ_EV_ADD": ADD,
        "KQ_NOTE_EXIT": NOTE_EXIT,
    }
    for name, part in parts.items():
        monkeypatch.setattr(select, name, part, raising=False)
    yield kernel
    assert {} == kernel.queues, "a kqueue was left open"


def held(kernel: Kernel, pid: int = 42) -> Any:
    """Return a handle of a process that lives."""
    kernel.living.add(pid)
    return handles.open_handle(
        Process(pid, 1), lambda asked: Process(asked, 1) if asked in kernel.living else None, hold
    )


def test_kqueue_tells_of_the_end(kernel: Kernel) -> None:
    """The descriptor is readable from the end on, however often one looks."""
    with held(kernel) as handle:
        assert isinstance(handle, KqueueHandle)
        assert (False, True) == (handle.ended(), handle.fileno() in kernel.queues)
        kernel.living.clear()
        assert (True, True) == (handle.ended(), handle.ended())
        wait([handle], None)


def test_wait_watches_all_kqueues_and_closes_its_own(kernel: Kernel) -> None:
    """The end of one of many processes ends the wait."""
    with held(kernel, 41), held(kernel, 42) as last:
        kernel.living.discard(42)
        wait([last], None)
        assert 2 == len(kernel.queues)


def test_ended_process_cannot_be_watched(kernel: Kernel) -> None:
    """A process that has ended is a lookup error, and nothing stays open."""
    with pytest.raises(ProcessLookupError):
        handles.open_handle(Process(42, 1), lambda pid: None, hold)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_pid_is_checked_if_watching_is_denied(kernel: Kernel, number: int) -> None:
    """A process that may not be watched is held by its pid and start time."""
    kernel.refuses = number
    handle = held(kernel)
    assert (handles.CheckedHandle, -1) == (type(handle), handle.fileno())


def test_signal_goes_to_the_same_owner_or_to_nobody(kernel: Kernel) -> None:
    """The owner of the pid is looked up right before the signal."""
    with held(kernel, os.getpid()) as handle:
        handle.signal(0)
        kernel.living.clear()
        with pytest.raises(ProcessLookupError):
            handle.signal(signal.SIGKILL)


def test_closed_handle_is_not_asked(kernel: Kernel) -> None:
    """Closing twice is harmless; using the handle afterwards is an error."""
    handle = held(kernel)
    handle.close()
    handle.close()
    assert -1 == handle.fileno()
    with pytest.raises(ValueError, match="negative"):
        handle.ended()


def test_psutils_table_holds_by_a_kqueue(kernel: Kernel) -> None:
    """If the system has kqueues, which are BSD's and macOS's."""
    table = table_named("psutil")
    own = table.process(os.getpid())
    assert own
    kernel.living.add(own.pid)
    with table.open(own) as handle:
        assert isinstance(handle, KqueueHandle)

"""Processes are held by kqueues on BSD and macOS: real processes, and an emulation of kqueue(2).

``kit.kqueues`` plays the kernel's part. That a real kernel agrees with it is not shown here.
"""

import asyncio
import errno
import os
import resource
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from kit import kqueues
from kit.children import child

import ssd
from ssd import aio
from ssd.errors import ProcessTableError
from ssd.matching import Process
from ssd.processes import handles, table_named
from ssd.processes.handles import CheckedHandle
from ssd.processes.kqueue import KqueueHandle, hold
from ssd.processes.queues import ready_queues
from ssd.processes.waiting import wait

TABLE = table_named("kernel")
SYSTEMS = {
    "FreeBSD": lambda: kqueues.System(),
    "macOS": lambda: kqueues.System(finds_zombies=False),
    "OpenBSD": lambda: kqueues.System(finds_zombies=False, owner_only=True),
}


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[kqueues.System]:
    """Give the select module the kqueues of FreeBSD, or of the system that is named."""
    with kqueues.installed(SYSTEMS[getattr(request, "param", "FreeBSD")]()) as system:
        yield system


every_system = pytest.mark.parametrize("system", SYSTEMS, indirect=True)


def held(pid: int) -> CheckedHandle:
    """Return a handle of a process that lives."""
    process = TABLE.process(pid)
    assert process
    handle = handles.open_handle(process, TABLE.process, hold)
    assert isinstance(handle, CheckedHandle)
    return handle


def kill(pid: int) -> None:
    """End a child, and leave a zombie."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@every_system
def test_kqueue_tells_of_the_end(system: kqueues.System) -> None:
    """The descriptor is readable from the end on, reaped or not, however often one looks."""
    with child() as process, held(process.pid) as handle:
        assert isinstance(handle, KqueueHandle)
        assert (False, [handle.fileno()]) == (handle.ended(), [q.fileno() for q in system.open])
        kill(process.pid)
        assert (True, True) == (handle.ended(), handle.ended())
        process.wait()
        wait([handle], None)
        assert handle.ended() and select.select([handle.fileno()], [], [], 0)[0]


def test_both_of_two_waiters_are_told(system: kqueues.System) -> None:
    """Each has a kqueue of its own, and neither takes the other's event."""
    with child() as process, held(process.pid) as one, held(process.pid) as other:
        ends: list[bool] = []
        waiters = [
            threading.Thread(target=lambda each=each: ends.append(not wait([each], None)))
            for each in (one, other)
        ]
        for thread in waiters:
            thread.start()
        kill(process.pid)
        for thread in waiters:
            thread.join()
        assert ([True, True], True, True) == (ends, one.ended(), other.ended())


def test_wait_watches_all_kqueues_and_closes_its_own(system: kqueues.System) -> None:
    """The end of one of many processes ends the wait."""
    with child() as lives, child() as ends, held(lives.pid) as one, held(ends.pid) as other:
        kill(ends.pid)
        wait([one, other], None)
        assert (2, False, True) == (len(system.open), one.ended(), other.ended())


def test_wait_by_kqueues_ends_at_its_time(system: kqueues.System) -> None:
    """Not before, whatever the kernel rounds, also without a process; a time that is past, too."""
    with child() as process, held(process.pid) as handle:
        for watched in ([handle], []):
            until, system.waits = time.monotonic() + 0.0021, 0
            wait(watched, until)
            assert time.monotonic() >= until
            assert system.waits <= 2, "it polls"
            wait(watched, 0.0)


def test_asyncio_loop_stops_by_kqueues(system: kqueues.System) -> None:
    """psutil's table holds by a kqueue, which a loop can watch, too."""
    table = table_named("psutil")
    with child() as process:
        found = table.process(process.pid)
        assert found
        with table.open(found) as handle:
            assert isinstance(handle, KqueueHandle)
        match = ssd.Match(pid=process.pid)
        assert [found] == asyncio.run(aio.stop(match, "TERM/60", table=table))


@every_system
def test_ended_process_cannot_be_held(system: kqueues.System) -> None:
    """A zombie and a free pid are lookup errors, and nothing stays open."""
    with child() as process:
        known = TABLE.process(process.pid)
        assert known
        kill(process.pid)
        for _ in ("zombie", "reaped"):
            with pytest.raises(ProcessLookupError):
                handles.open_handle(known, TABLE.process, hold)
            process.wait()
        with pytest.raises(ProcessLookupError):
            hold(known, TABLE.process)


@pytest.mark.requires_root
@pytest.mark.parametrize("system", ["OpenBSD"], indirect=True)
def test_process_that_only_its_owner_may_watch(system: kqueues.System) -> None:
    """Another user's process is held by its pid and start time; one's own by a kqueue."""
    with child() as foreign, child(user=65534) as own:
        os.seteuid(65534)
        try:
            with held(foreign.pid) as pid_held, held(own.pid) as queue_held:
                kinds = [type(pid_held), pid_held.fileno(), type(queue_held)]
        finally:
            os.seteuid(0)
    assert [CheckedHandle, -1, KqueueHandle] == kinds


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EINVAL])
def test_pid_is_checked_if_watching_is_refused(system: kqueues.System, number: int) -> None:
    """A process that the kernel does not let the caller watch is held by its pid and start."""
    system.refusals["proc"] = number
    with child() as process, held(process.pid) as handle:
        assert (CheckedHandle, -1, False) == (type(handle), handle.fileno(), handle.ended())
        assert not system.open


@pytest.mark.parametrize("call", ["kqueue", "proc"])
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_shortage_is_no_weaker_handle(system: kqueues.System, call: str, number: int) -> None:
    """Without a descriptor or memory there is an error that says so, and nothing stays open."""
    system.refusals[call] = number
    with child() as process, pytest.raises(ProcessTableError, match=os.strerror(number)):
        held(process.pid)


@pytest.mark.parametrize("call", ["kqueue", "read"])
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM])
def test_shortage_is_no_end(system: kqueues.System, call: str, number: int) -> None:
    """kevent(2) can put a failure among the events (EV_ERROR), where it would read as the end."""
    with child() as process, held(process.pid) as handle:
        system.refusals[call] = number
        for look in (handle.ended, lambda: wait([handle], None), lambda: handle.signal(0)):
            with pytest.raises(ProcessTableError, match=os.strerror(number)):
                look()
        system.refusals.clear()
        assert not handle.ended()


def test_descriptor_that_is_none_is_no_end(system: kqueues.System) -> None:
    """A number that is not open is an error (EBADF), and not a process that has ended."""
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    with pytest.raises(ProcessTableError, match=os.strerror(errno.EBADF)):
        ready_queues([write], 0)  # the new kqueue has the lower number


def test_last_descriptors_are_left_by_kqueues(system: kqueues.System) -> None:
    """macOS gives a process 256 descriptors: more processes are held by pid and start time."""
    next_one = os.dup(0)
    os.close(next_one)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    kinds = []
    with child() as process:
        try:
            for more in (0, 1):
                limit = next_one + handles.SPARE_DESCRIPTORS + more
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                with held(process.pid) as handle:
                    kinds.append(type(handle))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [CheckedHandle, KqueueHandle] == kinds


class Interrupted(Exception):
    """What a signal handler raises."""


@pytest.fixture
def alarms() -> Iterator[list[type[Exception]]]:
    """Handle ALRM; what is in the list is raised, one at each signal."""
    errors: list[type[Exception]] = []

    def handle(number: int, frame: object) -> None:
        if errors:
            raise errors.pop()

    before = signal.signal(signal.SIGALRM, handle)
    yield errors
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_interrupted_wait_goes_on(system: kqueues.System, alarms: list[type[Exception]]) -> None:
    """EINTR ends no wait (PEP 475); an exception of the handler does, and nothing stays open."""
    with child() as process, held(process.pid) as handle:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        until = time.monotonic() + 0.01
        wait([handle], until)
        assert time.monotonic() >= until and not handle.ended()
        with pytest.raises(Interrupted):
            alarms.append(Interrupted)
            wait([handle], None)
        assert [] == alarms and 1 == len(system.open)


def test_signal_goes_to_the_same_owner_or_to_nobody(system: kqueues.System) -> None:
    """Whether the process has ended is looked up right before the signal; a zombie has."""
    with child() as process, held(process.pid) as handle:
        handle.signal(0)
        handle.signal(signal.SIGKILL)
        wait([handle], None)
        for _ in ("zombie", "reaped"):
            with pytest.raises(ProcessLookupError):
                handle.signal(signal.SIGKILL)
            process.wait()


def test_closed_handle_is_not_asked(system: kqueues.System) -> None:
    """Closing twice is harmless; using the handle afterwards is an error."""
    with child() as process:
        handle = held(process.pid)
        handle.close()
        handle.close()
        assert -1 == handle.fileno()
        for use in (handle.ended, lambda: handle.signal(0)):
            with pytest.raises(ValueError, match="negative"):
                use()


def raised(use: Callable[[], object]) -> str:
    """Return the name of the error that a use of a handle raises."""
    with pytest.raises((ValueError, OSError)) as caught:
        use()
    return caught.type.__name__


def in_a_fork(check: Callable[[], object]) -> object:
    """Return what a function returns in a child of this process: a short tuple of numbers."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, repr(check()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    return text


def test_child_of_the_holder_has_no_kqueue(system: kqueues.System) -> None:
    """fork(2) does not hand it down: the child holds the process by its pid and start time."""
    with child() as process, held(process.pid) as handle:
        number = handle.fileno()
        hidden = hold(handle.process, lambda pid: Process(pid, 0))

        def check() -> tuple[object, ...]:
            taken = os.open(os.devnull, os.O_RDONLY)  # gets the lowest free number
            while taken < number:
                taken = os.dup(taken)
            facts = (taken == number, handle.fileno(), handle.ended())
            wait([handle], 0.0)
            handle.signal(signal.SIGKILL)
            wait([handle], None)
            ended = handle.ended()
            handle.close()
            os.fstat(number)  # the child's own file
            errors = [raised(use) for use in (handle.ended, lambda: hidden.signal(0))]
            return (*facts, ended, *errors)

        expected = (True, -1, False, True, "ValueError", "PermissionError")
        assert repr(expected) == in_a_fork(check)
        hidden.close()
        wait([handle], None)
        assert handle.ended() and handle.fileno() == number


def test_process_that_cannot_be_read_is_not_signalled() -> None:
    """By its pid alone: it may be the next owner of that."""
    handle = CheckedHandle(Process(os.getpid(), 1), lambda pid: Process(pid, 0))
    assert not handle.ended()
    with pytest.raises(PermissionError, match="cannot be read"):
        handle.signal(0)

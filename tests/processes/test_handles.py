"""Processes are held by what the kernel offers: pidfds, or pids and start times."""

import errno
import os
import resource
import signal
from collections.abc import Callable

import pytest

from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START, Process
from ssd.processes import handles, table_named
from ssd.processes.contract import ProcessTable
from ssd.processes.handles import CheckedHandle, PidfdHandle, open_handle
from ssd.testing import RealWorld


@pytest.fixture
def table() -> ProcessTable:
    """Return psutil's table, which every system has."""
    return table_named("psutil")


def refusing(number: int) -> Callable[[int], int]:
    """Return a pidfd_open that fails in one way."""

    def pidfd_open(pid: int) -> int:
        raise OSError(number, os.strerror(number))

    return pidfd_open


def without_pidfd_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the call, as in a Python that was built without it."""
    monkeypatch.delattr(os, "pidfd_open")


def without_send_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the call that signals by a pidfd."""
    monkeypatch.setattr(handles, "pidfd_send_signal", None)


def on_an_old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the call fail as before Linux 5.3."""
    monkeypatch.setattr(os, "pidfd_open", refusing(errno.ENOSYS))


def under_a_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the call fail as under an old container's seccomp filter."""
    monkeypatch.setattr(os, "pidfd_open", refusing(errno.EPERM))


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
@pytest.mark.parametrize(
    "hinder", [without_pidfd_open, without_send_signal, on_an_old_kernel, under_a_filter]
)
def test_identity_is_checked_at_each_use_without_a_pidfd(
    hinder: Callable[[pytest.MonkeyPatch], None],
    world: RealWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pid and its start time replace it: no descriptor, the same answers."""
    hinder(monkeypatch)
    process = world.table.process(world.start())
    assert process
    with world.table.open(process) as handle:
        assert (CheckedHandle, -1, False) == (type(handle), handle.fileno(), handle.ended())
        handle.signal(0)
        handle.signal(signal.SIGKILL)
        world.table.wait([handle], None)
        assert handle.ended()
        with pytest.raises(ProcessLookupError):
            handle.signal(signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
@pytest.mark.parametrize("number", [errno.ESRCH, errno.EINVAL, errno.ENOENT])
def test_pid_that_is_no_process_is_a_lookup_error(
    number: int, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A free pid and a thread's id have the same error on all kernels."""
    process = world.table.process(world.start())
    assert process
    monkeypatch.setattr(os, "pidfd_open", refusing(number))
    with pytest.raises(ProcessLookupError):
        world.table.open(process)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_running_out_of_descriptors_is_told(
    world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lack of descriptors is an error, and not a weaker handle."""
    process = world.table.process(world.start())
    assert process
    monkeypatch.setattr(os, "pidfd_open", refusing(errno.EMFILE))
    with pytest.raises(ProcessTableError, match=os.strerror(errno.EMFILE)):
        world.table.open(process)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_last_descriptors_are_left_for_reading(world: RealWorld) -> None:
    """If there are more processes than descriptors, the rest is held by pid and start time."""
    process = world.table.process(world.start())
    assert process
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_one = os.dup(0)
    os.close(next_one)
    kinds = []
    try:
        for more in (0, 1):
            limit = next_one + handles.SPARE_DESCRIPTORS + more
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            with world.table.open(process) as handle:
                kinds.append(type(handle))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [CheckedHandle, PidfdHandle] == kinds


def test_identity_is_asked_after_the_handle_is_there(world: RealWorld) -> None:
    """A pid that gets another owner before it is held is noticed, and released."""
    pid = world.start()
    order: list[str] = []

    def stranger(asked: int) -> Process:
        order.append(f"{len(os.listdir('/dev/fd'))} open")
        return Process(asked, 2)

    before = len(os.listdir("/dev/fd"))
    with pytest.raises(ProcessLookupError):
        open_handle(Process(pid, 1), stranger)
    held = before + 1 if hasattr(os, "pidfd_open") else before
    assert [f"{held} open"] == order
    assert before == len(os.listdir("/dev/fd"))


def test_checked_handle_signals_no_successor() -> None:
    """Without a descriptor, too, a new owner of the pid is another process."""
    handle = CheckedHandle(Process(os.getpid(), 1), lambda pid: Process(pid, 2))
    assert handle.ended()
    with pytest.raises(ProcessLookupError):
        handle.signal(signal.SIGKILL)


def test_checked_handle_signals_nobody_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner whose start time cannot be read may be another process, or still be this one."""
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, signum: sent.append(pid))
    handle = CheckedHandle(Process(os.getpid(), 1), lambda pid: Process(pid, UNKNOWN_START))
    assert not handle.ended()
    with pytest.raises(PermissionError):
        handle.signal(signal.SIGKILL)
    assert [] == sent


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_descriptor_is_not_inherited_and_closes_once(world: RealWorld) -> None:
    """No child inherits a handle's descriptor, and a second close closes no other one."""
    process = world.table.process(world.start())
    assert process
    handle = world.table.open(process)
    assert isinstance(handle, PidfdHandle)
    assert not os.get_inheritable(handle.fileno())
    number = handle.fileno()
    handle.close()
    again = os.open(os.devnull, os.O_RDONLY)
    handle.close()
    assert (-1, number) == (handle.fileno(), again)
    os.close(again)
    with pytest.raises(ValueError, match="negative"):
        handle.ended()

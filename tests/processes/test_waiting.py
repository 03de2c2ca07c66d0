"""Waits for the ends of processes, with descriptors and without."""

import os
import signal
from time import monotonic

import pytest

from ssd.matching import Process
from ssd.processes import waiting
from ssd.processes.handles import CheckedHandle
from ssd.testing import RealWorld


def test_wait_may_be_longer_than_poll_can_count(world: RealWorld) -> None:
    """The largest number of seconds in a schedule is a valid time."""
    process = world.table.process(world.start())
    assert process
    with world.table.open(process) as handle:
        handle.signal(signal.SIGKILL)
        world.table.wait([handle], world.table.now() + 2**31)
        assert handle.ended()


def test_long_wait_is_made_of_shorter_ones(
    world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that takes longer than one call continues until its time."""
    monkeypatch.setattr(waiting, "MAX_POLL_TIME", 0.001)
    process = world.table.process(world.start())
    assert process
    with world.table.open(process) as handle:
        until = world.table.now() + 0.02
        world.table.wait([handle], until)
        assert world.table.now() >= until


def test_wait_without_a_handle_or_a_time_is_an_error() -> None:
    """It would never end; with a time alone it is a sleep."""
    with pytest.raises(ValueError, match="nothing to wait for"):
        waiting.wait([], None)
    until = monotonic() + 0.01
    waiting.wait([], until)
    assert monotonic() >= until


def test_process_without_a_descriptor_is_polled() -> None:
    """Its owner is looked up in intervals, until the pid has another one."""
    looks = iter([1, 1, 1, 2])
    handle = CheckedHandle(Process(os.getpid(), 1), lambda pid: Process(pid, next(looks)))
    began = monotonic()
    waiting.wait([handle], None)
    assert [] == list(looks)
    assert monotonic() - began >= 3 * waiting.POLL_INTERVAL


def test_readable_descriptor_ends_a_wait_early() -> None:
    """A readable pipe ends it before its time."""
    read, write = os.pipe()
    try:
        assert not waiting.ready([read], 0)
        os.write(write, b"x")
        assert waiting.ready([read], 1000)
    finally:
        os.close(read)
        os.close(write)

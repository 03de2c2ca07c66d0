"""A pid that is reused between two steps: only the matched process is signalled."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ssd.matching import Criteria
from ssd.processes import handles, table_named
from ssd.processes.contract import Process, ProcessTable

from .alone import alone

pytestmark = [pytest.mark.races, pytest.mark.slow]

ATTEMPTS = 200
AT_ONCE = 5  # attempts that share the wait for another start time; the pids are reused in turn
PID_MAX = Path("/proc/sys/kernel/pid_max")
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
SMALL = [400, 800, 1600, 3200]  # pids: the kernel's minimum is 8 per processor
OWN_PID_MAX = (6, 14)  # the first Linux with a pid_max per PID namespace


def crowd() -> None:
    """Leave few pids to choose from, if the kernel has a pid_max per namespace."""
    major, minor = map(int, re.findall(r"\d+", os.uname().release)[:2])
    if (major, minor) >= OWN_PID_MAX:
        any(taken(size) for size in SMALL)  # the first one that it takes


def taken(size: int) -> bool:
    """Try to limit the pids; return whether the kernel has accepted it."""
    try:
        PID_MAX.write_text(str(size))
    except OSError:
        return False
    return True


def child() -> int:
    """Make a child that waits to be signalled."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return pid


def end(pid: int) -> None:
    """End a child of ours, and free its pid."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def stranger(pid: int) -> None:
    """Make a child that has the pid that was just freed."""
    while True:
        LAST_PID.write_text(str(pid - 1))
        born = child()
        if born == pid:
            return
        end(born)  # another process was faster


def tick_over(start_time: int) -> None:
    """Return when a process that starts now has a later start time, in the kernel's ticks."""
    ticks = os.sysconf("SC_CLK_TCK")
    while int(time.clock_gettime(time.CLOCK_BOOTTIME) * ticks) <= start_time:
        pass


@contextmanager
def unharmed(pid: int) -> Iterator[None]:
    """Fail if the new owner of the pid ends within the block; end it afterwards."""
    try:
        yield
        assert (0, 0) == os.waitpid(pid, os.WNOHANG), "the new owner of the pid was signalled"
    finally:
        end(pid)


def selected(table: ProcessTable) -> Process:
    """Make a child and select it."""
    pid = child()
    (process,) = table.select(Criteria(ppid=os.getpid(), pid=pid))
    return process


def reuse_before_opening(table: ProcessTable) -> None:
    """Select; the pid is reused; open, match again."""
    processes = [selected(table) for _ in range(AT_ONCE)]
    tick_over(processes[-1].start_time)
    for process in processes:
        end(process.pid)
        stranger(process.pid)
        with unharmed(process.pid):
            assert not table.holds(Criteria(ppid=os.getpid()), process)
            with pytest.raises(ProcessLookupError):
                table.open(process)


def reuse_before_signalling(table: ProcessTable) -> None:
    """Select, open; the pid is reused; signal, wait."""
    processes = [selected(table) for _ in range(AT_ONCE)]
    tick_over(processes[-1].start_time)
    with ExitStack() as stack:
        opened = [(process.pid, stack.enter_context(table.open(process))) for process in processes]
        for pid, handle in opened:
            end(pid)
            stranger(pid)
            with unharmed(pid):
                with pytest.raises(ProcessLookupError):
                    handle.signal(signal.SIGKILL)
                assert handle.ended()
                table.wait([handle], None)


def _checked(monkeypatch: pytest.MonkeyPatch) -> ProcessTable:
    """Return a table on a system without pidfds."""
    monkeypatch.setattr(handles, "pidfd_send_signal", None)
    return table_named("kernel")


TABLES = {
    "kernel": lambda _: table_named("kernel"),
    "psutil": lambda _: table_named("psutil"),
    "without pidfds": _checked,
}


@pytest.mark.parametrize("table", TABLES)
@alone
def test_strangers_are_not_signalled(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In 200 attempts the pid is reused at each step, and no new owner gets a signal."""
    if not LAST_PID.exists():
        pytest.skip("the kernel does not let the next pid be chosen")
    crowd()
    made = TABLES[table](monkeypatch)
    for _ in range(ATTEMPTS // AT_ONCE // 2):
        reuse_before_opening(made)
        reuse_before_signalling(made)

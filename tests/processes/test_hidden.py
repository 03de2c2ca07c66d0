"""Processes that run and that /proc does not show: the facts that are known of them."""

import os
import subprocess
import sys
import threading

import pytest
from kit.children import child

from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START, Criteria, Process
from ssd.processes import default_table
from ssd.processes.hidden import as_seen, hidden_process, may_be, unread, unreadable
from ssd.processes.linux import LinuxTable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hidepid is Linux's")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Process(7, 1), Process(7, 1), True),
        (Process(7, 1), Process(7, 2), False),
        (Process(7, 1), Process(7, UNKNOWN_START), True),
        (Process(7, UNKNOWN_START), Process(7, UNKNOWN_START), True),
        (Process(7, UNKNOWN_START), Process(8, UNKNOWN_START), False),
    ],
)
def test_may_be_compares_what_is_known(one: Process, other: Process, same: bool) -> None:
    """An unknown start time may be any."""
    assert (same, same) == (may_be(one, other), may_be(other, one))


def test_hidden_process_is_any_that_kill_finds() -> None:
    """A living process; no zombie, no thread, no group of processes and no free pid."""
    assert Process(os.getpid(), UNKNOWN_START) == hidden_process(os.getpid())
    with child() as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert None is hidden_process(process.pid)
    for pid in (0, -1, 2**22 + 1, 2**70):
        assert None is hidden_process(pid)
    told = threading.Event()
    thread = threading.Thread(target=told.wait)
    thread.start()
    try:
        assert None is hidden_process(thread.native_id or 0)
    finally:
        told.set()
        thread.join()


def denied() -> Process | None:
    """Look without permission."""
    raise PermissionError


def test_unread_decides_on_a_pid_that_could_not_be_read() -> None:
    """A free pid, a process that can be read now, and a hidden one."""
    pid, seen = os.getpid(), Process(os.getpid(), 5)
    assert (None, True) == unread(2**22 + 1, denied, (PermissionError,))
    assert (seen, True) == unread(pid, lambda: seen, (PermissionError,))
    assert (Process(pid, UNKNOWN_START), False) == unread(pid, denied, (PermissionError,))


def test_unreadable_needs_a_criterion_that_cannot_be_read() -> None:
    """A pid alone can always be decided, and so can all that can be read."""
    pid = os.getpid()
    assert unreadable(Criteria(pid, name=b"x"), denied, (PermissionError,))
    assert not unreadable(Criteria(pid), denied, (PermissionError,))
    assert not unreadable(Criteria(pid, name=b"x"), lambda: None, (PermissionError,))
    assert not unreadable(Criteria(2**22 + 1, name=b"x"), denied, (PermissionError,))


def test_as_seen_keeps_what_the_table_does_not_know(tmp_path: os.PathLike[str]) -> None:
    """Nothing changes for another process with the pid, an ended one, and without /proc."""
    own = default_table().process(os.getpid())
    assert own
    assert own == as_seen(Process(own.pid, UNKNOWN_START), default_table())
    stranger = Process(own.pid, own.start_time + 1)
    assert stranger == as_seen(stranger, default_table())
    table = LinuxTable(os.fspath(tmp_path))
    with pytest.raises(ProcessTableError):
        table.process(own.pid)
    assert own == as_seen(own, table)
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert Process(ended.pid, 5) == as_seen(Process(ended.pid, 5), default_table())

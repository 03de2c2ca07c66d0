"""A table derived from PidByPidTable needs five members, and keeps the contract."""

import os
import sys
from collections.abc import Sequence

import pytest
from kit.children import child

from ssd.matching import Criteria, Process
from ssd.processes import default_table
from ssd.processes.base import PidByPidTable
from ssd.processes.contract import Handle
from ssd.testing import check_process_table


class Derived(PidByPidTable):
    """A table whose members ask this machine's table."""

    def __init__(self) -> None:
        self.machine = default_table()

    def pids(self) -> list[int]:
        """Return every pid."""
        return self.machine.pids()

    def _look(self, pid: int, criteria: Criteria) -> Process | None:
        """Return the process if it meets all criteria but the pid."""
        process = self.machine.process(pid)
        holds = process is not None and (criteria.bare or self.machine.holds(criteria, process))
        return process if holds else None

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether a process lives and cannot be read."""
        return self.machine.unreadable(criteria)

    def open(self, process: Process) -> Handle:
        """Hold a process."""
        return self.machine.open(process)

    def now(self) -> float:
        """Return the time."""
        return self.machine.now()

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Wait for an end."""
        self.machine.wait(handles, until)


def test_derived_table_keeps_the_contract() -> None:
    """The defaults are right for a table of real processes."""
    check_process_table(Derived())


def test_defaults_are_those_of_this_process() -> None:
    """Its pid, the files of the disk, no origin and no launcher."""
    table, facts = PidByPidTable(), os.stat(sys.executable)
    assert (os.getpid(), None, None) == (table.own_pid(), table.origin, table.launcher)
    assert (facts.st_dev, facts.st_ino) == table.executable(sys.executable)
    assert False is table.unreadable(Criteria(os.getpid(), name=b"x"))
    with pytest.raises(FileNotFoundError):
        table.executable("/no/such/executable")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_command_line_comes_from_proc() -> None:
    """The words with which a program was executed."""
    with child("sleep", "1000") as process:
        assert [b"sleep", b"1000"] == PidByPidTable().command_line(process.pid)

"""What a process does on a signal may fail, and its sender has nothing to do with that."""

import signal

import pytest

import ssd
from ssd.testing import FakeProcesses, forks
from ssd.testing.process import FakeProcess

HUP, TERM = signal.SIGHUP, signal.SIGTERM


def pass_on(process: FakeProcess) -> None:
    """Signal a process that is not there any more, as a test's own reaction might."""
    process.table.open(ssd.Process(4711, 1))


def test_reaction_that_fails_is_no_answer_to_the_signal(fake_processes: FakeProcesses) -> None:
    """A ProcessLookupError of its own would have the stop believe that webd has ended."""
    fake_processes.add("webd", reactions={TERM: pass_on})
    with pytest.raises(RuntimeError, match="<webd 101, running> to SIGTERM failed") as it:
        ssd.stop(ssd.Match(name="webd"), table=fake_processes)
    assert isinstance(it.value.__cause__, ProcessLookupError)


def test_fork_that_cannot_be_is_the_processs_own_trouble() -> None:
    """It lives on, its sender learns nothing, and the timeline tells."""
    table = FakeProcesses(pid_max=102, caller_pid=50)
    table.last_pid = 100
    webd = table.add("webd", reactions={HUP: forks()})
    table.pid_max = 2
    assert [webd.identity] == ssd.stop(ssd.Match(name="webd"), ssd.Schedule.once(HUP), table=table)
    assert ("running", []) == (webd.state, table.children(webd.pid))
    assert "cannot fork: Resource temporarily unavailable" in table.timeline()

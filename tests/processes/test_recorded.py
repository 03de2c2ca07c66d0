"""A table with a record: what is done by it is written down, and nothing else is different."""

import signal
from typing import NoReturn

import pytest

from ssd.errors import ProcessTableError
from ssd.finding import find
from ssd.matching import Match
from ssd.processes.recorded import recorded
from ssd.stopping import Stop, run
from ssd.testing import FakeProcesses, dies, ignores

TERM, KILL = signal.SIGTERM, signal.SIGKILL


def test_record_has_the_signals_of_a_whole_tree(fake_processes: FakeProcesses) -> None:
    """Those to a process group, too, and STOP before KILL; signal 0 reaches nobody."""
    main = fake_processes.add("main", reactions={TERM: ignores()})
    child = main.fork(name="child", reactions={TERM: dies()})
    table, recording = recorded(fake_processes)
    assert table.kin.signal_group(main.pid, 0)
    assert not table.kin.signal_group(4711, TERM)
    with Stop(Match(name="main"), "TERM/2/KILL/1", tree=True, table=table) as work:
        run(work)
    steps = [(s.at, s.event, s.facts.get("signal"), s.pid) for s in recording.record.steps]
    assert [
        (0, "signal", "TERM", main.pid),
        (0, "signal", "TERM", child.pid),
        (0, "ended", None, child.pid),
        (2, "signal", "STOP", None),
        (2, "signal", "KILL", main.pid),
    ] == steps[:5]
    assert {main.pid} == {step.facts["group"] for step in recording.record.steps if not step.pid}
    assert (2, "ended", None, main.pid) == steps[-1]
    names = {facts.name for facts in recording.record.processes.values()}
    assert {"main", "child"} == names
    assert [9, 15] == sorted({each.signum for each in fake_processes.signals} - {19})


def test_record_tells_a_denial_from_an_end(fake_processes: FakeProcesses) -> None:
    """The errors are those of the table; what had ended is never met."""
    table, recording = recorded(fake_processes)
    ours, theirs = fake_processes.add("ours", uid=7), fake_processes.add("theirs", uid=8)
    fake_processes.caller_uid = 7
    with table.open(theirs.identity) as handle:
        with pytest.raises(PermissionError):
            handle.signal(0)
        assert [] == recording.record.steps
        with pytest.raises(PermissionError):
            handle.signal(TERM)
    with table.open(ours.identity) as handle:
        assert ours.identity == handle.process
        handle.signal(TERM)
        assert handle.ended()
        with pytest.raises(ProcessLookupError):
            handle.signal(KILL)
    told = [(step.event, step.pid) for step in recording.record.steps]
    assert [("denied", theirs.pid), ("signal", ours.pid), ("ended", ours.pid)] == told
    assert "Step(0, 'ended', {'pid': 101})" == repr(recording.record.steps[-1])
    with table.open(theirs.identity) as handle:
        theirs.die()
        with pytest.raises(ProcessLookupError):
            handle.signal(TERM)
    last = recording.record.steps[-1]
    assert ("ended", theirs.pid) == (last.event, last.pid)
    recording.record.meet(ours.identity)
    gone, _ = recorded(fake_processes)
    assert gone.launcher is fake_processes


def test_facts_are_not_those_of_the_next_owner_of_a_pid(fake_processes: FakeProcesses) -> None:
    """A process that has ended before it is met has no name."""
    first = fake_processes.add("first", pid=200)
    _, recording = recorded(fake_processes)
    first.die()
    fake_processes.add("second", pid=200)
    recording.record.meet(first.identity)
    (facts,) = recording.record.processes.values()
    assert (None, None) == (facts.name, facts.command_line)
    recording.record.look_after(first.identity)
    assert ["ended"] == [step.event for step in recording.record.steps]


def test_end_that_cannot_be_looked_for_is_no_step(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor an error: the start that is recorded has succeeded."""
    process = fake_processes.add("d").identity
    _, recording = recorded(fake_processes)

    def fail(self: FakeProcesses, pid: int) -> NoReturn:
        raise ProcessTableError("Too many open files")

    recording.record.meet(process)
    monkeypatch.setattr(FakeProcesses, "process", fail)
    recording.record.look_after(process)
    assert [] == recording.record.steps


def test_look_for_the_first_finds_all(fake_processes: FakeProcesses) -> None:
    """An answer shows all of them."""
    pids = [fake_processes.add("d").pid for _ in range(3)]
    table, recording = recorded(fake_processes)
    criteria = Match(name="d")
    assert pids == [each.pid for each in find(criteria, table=table)]
    assert pids == [each.pid for each in recording.found]
    assert dict.fromkeys(recording.found) == recording.matched

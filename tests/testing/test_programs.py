"""Processes that a start has made: children, and the programs that they run."""

import signal
from pathlib import Path

import pytest
from kit.leaks import nothing_left

import ssd
from ssd import Command, Match
from ssd.testing import (
    FakeChild,
    FakeProcesses,
    NotRegistered,
    WaitsForEver,
    daemonizes,
    exits,
    forks,
    ignores,
    in_turn,
    together,
)

HUP, KILL, TERM = signal.SIGHUP, signal.SIGKILL, signal.SIGTERM
WEBD = "/usr/sbin/webd"  # not on disk


# Children -------------------------------------------------------------------------------


def test_child_is_waited_for_in_a_time_that_jumps(fake_processes: FakeProcesses) -> None:
    """Its status is the program's; it is a zombie until then; a second wait returns the same."""
    fake_processes.register(WEBD, runs=exits(7, after=60))
    with nothing_left():
        child = ssd.start(Match(name="webd"), Command([WEBD]), background=False,
                          table=fake_processes)  # fmt: skip
        assert isinstance(child, ssd.Child)
        with fake_processes.open(child) as handle:
            fake_processes.wait([handle], None)
        assert ("zombie", 60) == (fake_processes[child.pid].state, fake_processes.now())
        assert (7, 7) == (child.wait(), child.wait())
        with pytest.raises(ProcessLookupError):
            child.signal(0)
        child.close()
    assert child.pid not in fake_processes.pids()


def test_child_that_a_signal_ends_says_so(webd: Command, fake_processes: FakeProcesses) -> None:
    """Minus the signal number, as in subprocess; signals to a zombie have no effect."""
    child = ssd.start(Match(name="webd"), webd, background=False, table=fake_processes)
    assert isinstance(child, FakeChild)
    for signum in (HUP, KILL, TERM):
        child.signal(signum)
    assert -KILL == child.wait()
    assert [(0, HUP), (0, KILL)] == child.declared.signals


def test_waiting_for_a_child_that_never_ends_raises(
    webd: Command, fake_processes: FakeProcesses
) -> None:
    """A real test would hang."""
    child = ssd.start(Match(name="webd"), webd, background=False, table=fake_processes)
    assert isinstance(child, ssd.Child)
    with pytest.raises(WaitsForEver, match="<webd 101, running>"):
        child.wait()


# Programs -------------------------------------------------------------------------------


def test_unregistered_program_says_what_is_registered(
    webd: Command, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """And how to declare it; nothing is started or written."""
    with pytest.raises(NotRegistered, match=f"'/bin/other'; registered: {WEBD}. Declare it with"):
        ssd.start(Match(pidfile=pidfile), Command(["/bin/other"]), make_pidfile=True,
                  table=fake_processes)  # fmt: skip
    assert ([], False) == (fake_processes.started, pidfile.exists())


def test_path_may_be_bytes(fake_processes: FakeProcesses) -> None:
    """As everywhere in ssd; the same path as text means the same program."""
    program = fake_processes.register(WEBD.encode())
    ssd.start(Match(name="webd"), Command([WEBD]), table=fake_processes)
    assert fake_processes.started == program.processes


def test_any_program_can_be_allowed(fake_processes: FakeProcesses) -> None:
    """Each process then lives until it is signalled."""
    fake_processes.allow_unregistered()
    process = ssd.start(Match(name="other"), Command(["/bin/other"]), table=fake_processes)
    assert [process] == ssd.stop(Match(name="other"), table=fake_processes)


def test_any_executable_can_be_allowed(fake_processes: FakeProcesses) -> None:
    """A match by it finds the started process, and none before."""
    fake_processes.allow_unregistered()
    match, command = Match(exec="/bin/other"), Command(["/bin/other"])
    assert 3 == ssd.status(match, table=fake_processes)
    process = ssd.start(match, command, table=fake_processes)
    assert [process] == ssd.find(match, table=fake_processes)


def test_program_knows_its_processes(webd: Command, fake_processes: FakeProcesses) -> None:
    """The result of ``register`` records the processes that have executed it."""
    program = fake_processes.register(WEBD)
    for user in (1, 2):
        ssd.start(Match(user=user), webd, table=fake_processes)
    assert fake_processes.started == program.processes
    assert [[WEBD, "-f"]] * 2 == [process.argv for process in program.processes]


def test_program_can_do_something_else_each_time(fake_processes: FakeProcesses) -> None:
    """It crashes twice, and runs at the third start."""
    fake_processes.register(WEBD, runs=in_turn(exits(1), exits(2), ignores()))
    statuses = []
    for _ in range(3):
        ssd.start(Match(name="webd"), Command([WEBD]), background=False, table=fake_processes)
        statuses.append(fake_processes.started[-1].status)
    assert [1, 2, None] == statuses


def test_self_made_daemon_is_found_by_its_own_pidfile(
    pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """It forks twice, the first ends with 0, and init is the parent of the last."""
    fake_processes.register(WEBD, runs=daemonizes(pidfile))
    first = ssd.start(Match(pidfile=pidfile), Command([WEBD]), background=False,
                      table=fake_processes)  # fmt: skip
    assert isinstance(first, ssd.Child)
    assert 0 == first.wait()
    (daemon,) = ssd.find(Match(pidfile=pidfile, exec=WEBD), table=fake_processes)
    assert (first.pid + 2, 1) == (daemon.pid, fake_processes[daemon.pid].ppid)


def test_program_can_do_several_things(fake_processes: FakeProcesses) -> None:
    """Until the process has ended."""
    fake_processes.register(WEBD, runs=together(forks(), forks(), exits(), forks()))
    ssd.start(Match(name="none"), Command([WEBD]), table=fake_processes)
    assert 2 == len(ssd.find(Match(name="webd"), table=fake_processes))

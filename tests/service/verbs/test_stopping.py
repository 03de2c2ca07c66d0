"""Stop and reload a service on fake processes."""

import signal

import pytest

from ssd.testing import FakeProcesses
from ssd.testing.reactions import dies, ignores


def test_stop_signals_and_removes_the_pidfile(do, pidfile, running) -> None:
    """By the declared schedule."""
    assert (0, "Stopping A nap: nap.\n", "") == do("stop", running, stop_schedule="INT/5/KILL/5")
    assert [(200, signal.SIGINT)] == [(sent.pid, sent.signum) for sent in running.signals]
    assert not pidfile.exists()


def test_stop_of_a_stopped_service_is_a_success(do, pidfile) -> None:
    """The pidfile of a dead process is removed."""
    assert (0, "Stopping A nap: nap is not running.\n", "") == do("stop")
    pidfile.write_text("300\n")
    assert (0, "Stopping A nap: nap is not running.\n", "") == do("stop")
    assert not pidfile.exists()


def test_stop_that_a_process_survives_keeps_the_pidfile(do, pidfile) -> None:
    """The stop has failed."""
    table = FakeProcesses()
    table.add("sleep", pid=200, reactions={signal.SIGTERM: ignores()})
    pidfile.write_text("200\n")
    done = do("stop", table, stop_schedule="TERM/3/TERM/2")
    assert (1, "Stopping A nap: nap refuses to die failed!\n", "") == done
    assert pidfile.exists()


def test_stop_and_reload_without_permission_are_status_4(do, pidfile) -> None:
    """LSB's status for a lack of privilege."""
    table = FakeProcesses(caller_uid=1000)
    table.add("sleep", pid=200, uid=0)
    pidfile.write_text("200\n")
    status, shown, said = do("stop", table)
    assert (4, "Stopping A nap: nap failed!\n") == (status, shown)
    assert "not permitted" in said
    assert 4 == do("reload", table, reload_signal="HUP")[0]


def test_stop_waits_for_the_end_of_the_process(do, pidfile) -> None:
    """As long as the schedule allows, in the table's time."""
    table = FakeProcesses()
    table.add("sleep", pid=200, reactions={signal.SIGTERM: dies(after=20)})
    pidfile.write_text("200\n")
    assert 0 == do("stop", table)[0]
    assert 20 <= table.now() < 30


@pytest.mark.parametrize(
    ("mode", "pids"),
    [(None, [200]), ("main", [200]), ("group", [200, 201]), ("tree", [200, 201, 202])],
)
def test_stop_ends_what_kill_mode_declares(do, running, mode, pids) -> None:
    """The process alone unless it is declared; with its group; or all that belongs to it."""
    running[200].fork(pid=201)
    running[200].fork(pid=202).lead()
    assert 0 == do("stop", running, kill_mode=mode)[0]
    assert pids == [sent.pid for sent in running.signals]


def test_stop_needs_no_program(do, running) -> None:
    """An upgrade may have removed it."""
    assert 0 == do("stop", running, executable="/nonexistent/nap")[0]


def test_stop_runs_its_hooks_before_and_after(do, running, tmp_path) -> None:
    """The first only if a process runs; if it fails, the stop continues."""
    log = tmp_path / "log"
    hooks = {"before_stop": f"echo before >> {log}; false", "after_stop": f"echo after >> {log}"}
    status, _, said = do("stop", running, **hooks)
    assert 0 == status
    assert "before_stop ended with status 1" in said
    assert "before\nafter\n" == log.read_text()


def test_reload_sends_the_declared_signal(do, running) -> None:
    """And does not restart."""
    hup = {"reload_signal": "USR1"}
    running[200].reactions[signal.SIGUSR1] = ignores()
    assert (0, "Reloading A nap: nap.\n", "") == do("reload", running, **hup)
    assert (0, "Reloading A nap: nap.\n", "") == do("force-reload", running, **hup)
    assert [signal.SIGUSR1] * 2 == [sent.signum for sent in running.signals]
    assert (7, "Reloading A nap: nap is not running failed!\n", "") == do("reload", **hup)

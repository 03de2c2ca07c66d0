"""Stop and reload a service on fake processes."""

import signal

import pytest
from kit.terminals import on_terminal

from ssd.answers.waiting_line import ERASE
from ssd.testing import FakeProcesses
from ssd.testing.reactions import dies, ignores

from ..services import Services


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


def test_terminal_shows_what_a_stop_waits_for(services: Services) -> None:
    """Behind the console line, which stays; NO_COLOR leaves its end without a colour."""
    script = "trap '' TERM; exec sleep 1000"
    for name in ("nap", "rest"):
        services.declare(
            f'executable = "/bin/sh"\narguments = ["-c", "{script}"]\n'
            'stop_schedule = "TERM/1/CONT"\n',
            name,
        )
        services.expect(0, name, "start")
    pid, argv = services.pid, [services.command, f"--directory={services.directory}"]
    said, status = on_terminal([*argv, "nap", "stop"], NO_COLOR="1")
    begun = b"Stopping nap: nap"
    shown = b" waiting for nap, pid %d: TERM sent, CONT in 1 s" % pid
    assert (1, True, True) == (status, said.startswith(begun), shown in said)
    assert said.endswith(ERASE.encode() + b" refuses to die failed!\r\n")
    said, status = on_terminal([*argv, "all", "stop"])
    assert (1, 2) == (status, said.count(b"failed!\x1b[0m"))
    assert b"\x1b[?7l waiting for nap, pid %d: TERM sent, CONT in 1 s" % pid in said
    assert b"CONT in 1 s (and 1 more)" in said
    for name in ("nap", "rest"):
        services.declare('stop_schedule = "KILL/5"', name)

"""Verbs on declared processes: what is said, which status comes of it, who is signalled."""

import os
import signal
from pathlib import Path

import pytest

from ssd.service import Service
from ssd.service.verbs import performing
from ssd.service.verbs.steps import Steps
from ssd.testing import FakeProcesses
from ssd.testing.reactions import dies, ignores


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return where the service's pidfile is to be."""
    return tmp_path / "nap.pid"


@pytest.fixture
def do(pidfile: Path, capfd):
    """Return a function that performs a verb; it gives the status and both outputs."""

    def do(verb: str, table: FakeProcesses | None = None, **fields: object) -> tuple[int, str, str]:
        given = {"name": "nap", "description": "A nap", "executable": "/bin/sleep",
                 "pidfile": str(pidfile), **fields}  # fmt: skip
        status = performing.perform(
            Service(**given), verb, program="ssd-service", script="/etc/init.d/nap",
            table=FakeProcesses() if table is None else table,
        )  # fmt: skip
        return (status, *capfd.readouterr())

    return do


@pytest.fixture
def running(pidfile: Path) -> FakeProcesses:
    """Return a table on which the service runs as process 200."""
    table = FakeProcesses()
    table.add("sleep", pid=200)
    pidfile.write_text("200\n")
    return table


def test_status_says_what_lsb_says(do, pidfile, running) -> None:
    """0, 1, 3, 4: with the pid where there is one."""
    assert (0, "nap is running (process 200)\n", "") == do("status", running)
    assert (1, f"nap is not running, but its pidfile {pidfile} exists\n", "") == do("status")
    pidfile.write_text("nobody\n")
    assert (4, f"cannot tell from {pidfile} whether nap is running\n", "") == do("status")
    pidfile.unlink()
    assert (3, "nap is not running\n", "") == do("status")


def test_pidfile_that_is_not_believed_is_no_status(do, pidfile, running) -> None:
    """And the reason is given."""
    pidfile.chmod(0o666)
    status, _, said = do("status", running)
    assert 4 == status
    assert "world-writable" in said


def test_what_two_steps_find_is_said_once(do, pidfile, running) -> None:
    """The look and the stop read the same pidfile."""
    pidfile.chmod(0o666)
    status, _, said = do("stop", running)
    assert (1, 1) == (status, said.count("world-writable"))


def test_second_start_is_a_success(do, running) -> None:
    """No second daemon, and no word of a failure."""
    assert (0, "Starting A nap: nap is already running.\n", "") == do("start", running)


def test_stop_signals_and_removes_the_pidfile(do, pidfile, running) -> None:
    """By the declared schedule."""
    assert (0, "Stopping A nap: nap.\n", "") == do("stop", running, stop_schedule="INT/5/KILL/5")
    assert [(200, signal.SIGINT)] == [(sent.pid, sent.signum) for sent in running.signals]
    assert not pidfile.exists()


def test_stop_of_what_is_not_running_is_a_success(do, pidfile) -> None:
    """A pidfile that a dead process left goes with it."""
    assert (0, "Stopping A nap: nap is not running.\n", "") == do("stop")
    pidfile.write_text("300\n")
    assert (0, "Stopping A nap: nap is not running.\n", "") == do("stop")
    assert not pidfile.exists()


def test_what_refuses_to_die_is_a_failure_and_keeps_its_pidfile(do, pidfile) -> None:
    """The schedule is over and it still runs."""
    table = FakeProcesses()
    table.add("sleep", pid=200, reactions={signal.SIGTERM: ignores()})
    pidfile.write_text("200\n")
    done = do("stop", table, stop_schedule="TERM/3/TERM/2")
    assert (1, "Stopping A nap: nap refuses to die failed!\n", "") == done
    assert pidfile.exists()


def test_whoever_may_not_signal_is_told_so(do, pidfile) -> None:
    """LSB has a status of its own for that."""
    table = FakeProcesses(caller_uid=1000)
    table.add("sleep", pid=200, uid=0)
    pidfile.write_text("200\n")
    status, shown, said = do("stop", table)
    assert (4, "Stopping A nap: nap failed!\n") == (status, shown)
    assert "not permitted" in said
    assert 4 == do("reload", table, reload_signal="HUP")[0]


def test_stop_waits_for_the_end(do, pidfile) -> None:
    """As long as the schedule lets it, in the table's time."""
    table = FakeProcesses()
    table.add("sleep", pid=200, reactions={signal.SIGTERM: dies(after=20)})
    pidfile.write_text("200\n")
    assert 0 == do("stop", table)[0]
    assert 20 <= table.now() < 30


def test_reload_sends_the_declared_signal(do, running) -> None:
    """And says nothing of a restart."""
    hup = {"reload_signal": "USR1"}
    running[200].reactions[signal.SIGUSR1] = ignores()
    assert (0, "Reloading A nap: nap.\n", "") == do("reload", running, **hup)
    assert (0, "Reloading A nap: nap.\n", "") == do("force-reload", running, **hup)
    assert [signal.SIGUSR1] * 2 == [sent.signum for sent in running.signals]
    assert (7, "Reloading A nap: nap is not running failed!\n", "") == do("reload", **hup)


@pytest.mark.parametrize("verb", ["reload", "frobnicate", ""])
def test_verb_that_there_is_not_is_shown_the_usage(do, verb) -> None:
    """Status 3; a reload is offered where there is a signal for it."""
    verbs = "start|stop|status|restart|force-reload|try-restart|systemd-start|show-args"
    assert (3, "", f"Usage: /etc/init.d/nap {{{verbs}}}\n") == do(verb)
    assert "|reload|" in do("frobnicate", reload_signal="HUP")[2]


def test_try_restart_leaves_alone_what_is_not_running(do) -> None:
    """And succeeds."""
    done = do("try-restart")
    assert (0, "Trying to restart A nap: nap is not running.\n", "") == done


@pytest.mark.parametrize(("verb", "status"), [("start", 0), ("restart", 0), ("systemd-start", 5)])
def test_missing_program_is_told_of(do, verb, status) -> None:
    """It was removed, and its configuration was left (Debian Policy 9.3.2)."""
    wanted = (status, "", "nap: /nonexistent/nap is not installed\n")
    assert wanted == do(verb, executable="/nonexistent/nap")


def test_stop_needs_no_program(do, running) -> None:
    """An upgrade may have removed it."""
    assert 0 == do("stop", running, executable="/nonexistent/nap")[0]


def test_show_args_shows_the_command_line(do) -> None:
    """As echo would."""
    assert (0, "/bin/sleep -a b\n", "") == do("show-args", arguments=["-a", "b"])


def test_hooks_of_a_stop_run_before_and_after(do, running, tmp_path) -> None:
    """The one before only where something runs; a failing one does not keep it from stopping."""
    log = tmp_path / "log"
    hooks = {"before_stop": f"echo before >> {log}; false", "after_stop": f"echo after >> {log}"}
    status, _, said = do("stop", running, **hooks)
    assert 0 == status
    assert "before_stop ended with status 1" in said
    assert "before\nafter\n" == log.read_text()


def test_service_without_a_pidfile_is_known_by_its_program(do) -> None:
    """The device and inode of what it executes."""
    table = FakeProcesses()
    table.add("sleep", pid=200, exe="/bin/sleep")
    table.add("other", pid=201, exe="/bin/sh")
    shown = do("status", table, pidfile="none")[1]
    assert "nap is running (process 200)\n" == shown


def test_look_asks_for_every_process(running, pidfile) -> None:
    """What a verb then acts on."""
    steps = Steps(Service(name="nap", pidfile=str(pidfile)), running)
    assert "running" == steps.look()
    assert [200] == [process.pid for process in steps.processes]
    assert os.path.exists(pidfile)


def test_test_is_not_turned_into_a_program(do) -> None:
    """On declared processes systemd-start says so instead of executing what the disk has."""
    table = FakeProcesses()
    table.register("/no/such/nap")
    with pytest.raises(RuntimeError, match="turn this process into /no/such/nap"):
        do("systemd-start", table, executable="/no/such/nap")
    assert [] == table.started

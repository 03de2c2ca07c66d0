"""Verbs on fake processes: their output and their status."""

import pytest

from ssd.testing import FakeProcesses


def test_status_is_that_of_lsb(do, pidfile, running) -> None:
    """0, 1, 3, 4, with the pid if there is one."""
    assert (0, "nap is running (process 200)\n", "") == do("status", running)
    assert (1, f"nap is not running, but its pidfile {pidfile} exists\n", "") == do("status")
    pidfile.write_text("nobody\n")
    assert (4, f"cannot tell from {pidfile} whether nap is running\n", "") == do("status")
    pidfile.unlink()
    assert (3, "nap is not running\n", "") == do("status")


def test_status_with_an_unsafe_pidfile_is_unknown(do, pidfile, running) -> None:
    """The reason is reported."""
    pidfile.chmod(0o666)
    status, _, said = do("status", running)
    assert 4 == status
    assert "world-writable" in said


def test_complaint_of_two_steps_is_printed_once(do, pidfile, running) -> None:
    """The look and the stop read the same pidfile."""
    pidfile.chmod(0o666)
    status, _, said = do("stop", running)
    assert (1, 1) == (status, said.count("world-writable"))


def test_second_start_is_a_success(do, running) -> None:
    """No second daemon, and no failure on the console."""
    assert (0, "Starting A nap: nap is already running.\n", "") == do("start", running)


@pytest.mark.parametrize("verb", ["reload", "frobnicate", ""])
def test_unknown_verb_prints_the_usage(do, verb) -> None:
    """Status 3; the usage has a reload if there is a signal for it."""
    verbs = "start|stop|status|restart|force-reload|try-restart|systemd-start|show-args"
    assert (3, "", f"Usage: /etc/init.d/nap {{{verbs}}}\n") == do(verb)
    assert "|reload|" in do("frobnicate", reload_signal="HUP")[2]


def test_try_restart_starts_nothing_that_is_not_running(do) -> None:
    """Status 0."""
    done = do("try-restart")
    assert (0, "Trying to restart A nap: nap is not running.\n", "") == done


@pytest.mark.parametrize(("verb", "status"), [("start", 0), ("restart", 0), ("systemd-start", 5)])
def test_missing_program_is_reported(do, verb, status) -> None:
    """The package was removed, and its configuration was left (Debian Policy 9.3.2)."""
    wanted = (status, "", "nap: /nonexistent/nap is not installed\n")
    assert wanted == do(verb, executable="/nonexistent/nap")


def test_show_args_shows_the_command_line(do) -> None:
    """As echo would."""
    assert (0, "/bin/sleep -a b\n", "") == do("show-args", arguments=["-a", "b"])


def test_service_without_a_pidfile_is_found_by_its_program(do) -> None:
    """By the device and inode of the executable."""
    table = FakeProcesses()
    table.add("sleep", pid=200, exe="/bin/sleep")
    table.add("other", pid=201, exe="/bin/sh")
    shown = do("status", table, pidfile="none")[1]
    assert "nap is running (process 200)\n" == shown


def test_systemd_start_with_a_fake_table_raises(do) -> None:
    """The test's own process must not become the program."""
    table = FakeProcesses()
    table.register("/no/such/nap")
    with pytest.raises(RuntimeError, match="turn this process into /no/such/nap"):
        do("systemd-start", table, executable="/no/such/nap")
    assert [] == table.started

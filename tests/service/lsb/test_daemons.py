"""start_daemon and killproc as Python: what they return, raise and do."""

import os
import sys
from pathlib import Path

import pytest
from kit.children import child, stubborn, unused_pid

from ssd import errors
from ssd.schedule import ScheduleError
from ssd.service import lsb

SLEEP = "/bin/sleep"


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return the path of a missing pidfile."""
    return tmp_path / "pid"


# start_daemon ---------------------------------------------------------------------------


def test_start_daemon_returns_the_status_of_the_program() -> None:
    """The number of a signal is negative."""
    assert 7 == lsb.start_daemon("/bin/sh", "-c", "exit 7")
    assert -9 == lsb.start_daemon("/bin/sh", "-c", "kill -KILL $$")


def test_program_starts_in_the_callers_directory(tmp_path: Path) -> None:
    """Not in /, unlike start-stop-daemon."""
    check = 'test "$(pwd -P)" = "$1"'
    assert 0 == lsb.start_daemon("/bin/sh", "-c", check, "sh", os.getcwd())
    assert 0 == lsb.start_daemon("/bin/sh", "-c", check, "sh", str(tmp_path), directory=tmp_path)


def test_niceness_is_added() -> None:
    """As nice(2) does."""
    code = f"import os, sys; sys.exit(os.nice(0) - {os.nice(0)})"
    most = 19 - os.nice(0)  # sched(7)
    assert min(3, most) == lsb.start_daemon(sys.executable, "-c", code, nice=3)


def test_running_daemon_is_not_started(pidfile: Path, tmp_path: Path) -> None:
    """Except with force, or if the pidfile names another program."""
    made = tmp_path / "made"
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.start_daemon(SLEEP, "bad", pidfile=str(pidfile))
        assert 0 == lsb.start_daemon("/usr/bin/touch", str(made), pidfile=str(pidfile))
        assert made.exists()
        assert 1 == lsb.start_daemon(SLEEP, "bad", pidfile=str(pidfile), force=True)
        assert 1 == lsb.start_daemon(SLEEP, "bad")


def test_missing_program_is_an_error() -> None:
    """The exception depends on whether start_daemon looked for it first."""
    with pytest.raises(errors.ExecutableMissing):
        lsb.start_daemon("/nonexistent/program")
    with pytest.raises(errors.StartFailed):
        lsb.start_daemon("/nonexistent/program", force=True)


# killproc -------------------------------------------------------------------------------


def test_killproc_without_a_signal_waits_for_the_end(pidfile: Path) -> None:
    """The pidfile stays."""
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc(SLEEP, pidfile=str(pidfile))
        assert -15 == process.wait()
    assert pidfile.exists()


@pytest.mark.parametrize("name", ["KILL", "-KILL", "SIGKILL", "-SIGKILL", "9", "-9"])
def test_signal_has_many_spellings(name: str, pidfile: Path) -> None:
    """Only that signal is sent."""
    with stubborn() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc(SLEEP, name, str(pidfile))
        assert -9 == process.wait()


def test_process_of_another_name_is_not_signalled(pidfile: Path) -> None:
    """Another process may have the pid now."""
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc("/usr/sbin/other", pidfile=str(pidfile))
        assert 3 == lsb.killproc("/usr/sbin/other", "HUP", str(pidfile))
        assert None is process.poll()


def test_killproc_with_term_removes_a_stale_pidfile(pidfile: Path) -> None:
    """Only with TERM, and only a given pidfile."""
    pidfile.write_text(f"{unused_pid()}\n")
    assert 3 == lsb.killproc(SLEEP, "HUP", str(pidfile))
    assert pidfile.exists()
    assert 0 == lsb.killproc(SLEEP, "TERM", str(pidfile))
    assert not pidfile.exists()


@pytest.mark.parametrize("name", ["BOGUS", "65", "999", "hup", "SIG", "--HUP"])
def test_unknown_signal_is_an_error(name: str, pidfile: Path) -> None:
    """Before the search for the process; "SIG" alone means no signal."""
    if name == "SIG":
        assert 0 == lsb.killproc(SLEEP, name, str(pidfile))
    else:
        with pytest.raises(ScheduleError):
            lsb.killproc(SLEEP, name, str(pidfile))


def test_program_has_a_name(pidfile: Path) -> None:
    """The path of a directory does not have one."""
    with pytest.raises(ValueError, match="does not name a program"):
        lsb.killproc("/usr/sbin/", pidfile=str(pidfile))

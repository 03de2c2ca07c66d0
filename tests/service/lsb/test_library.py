"""The functions as Python: what they return, raise and write."""

import os
import sys
from pathlib import Path

import pytest
from kit.children import child, stubborn, unused_pid, zombie
from kit.users import NOBODY

from ssd import errors
from ssd.matching import Process
from ssd.schedule import ScheduleError
from ssd.service import lsb
from ssd.service.lsb import cli as command
from ssd.service.lsb import daemons
from ssd.service.lsb.log import OVERFLOW

SLEEP = "/bin/sleep"
ONE = Process(123, 456)


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return the path of a pidfile that is not there."""
    return tmp_path / "pid"


# pidofproc ------------------------------------------------------------------------------


def test_pidfile_tells_the_pid(pidfile: Path) -> None:
    """Whatever the name of its process is."""
    pidfile.write_text(f"{os.getpid()}\n")
    found = lsb.pidofproc("/usr/sbin/other", str(pidfile))
    assert (0, [os.getpid()]) == (found.status, found.pids)


def test_dead_process_leaves_a_pidfile(pidfile: Path) -> None:
    """Status 1; a zombie is dead."""
    pidfile.write_text(f"{unused_pid()}\n")
    assert 1 == lsb.pidofproc(SLEEP, str(pidfile)).status
    with zombie() as pid:
        pidfile.write_text(f"{pid}\n")
        assert 1 == lsb.pidofproc(SLEEP, str(pidfile)).status


def test_pidfile_that_others_can_write_is_an_error(pidfile: Path) -> None:
    """The exception says which and why."""
    pidfile.write_text("1\n")
    pidfile.chmod(0o666)
    with pytest.raises(errors.PidfileUnsafe, match="world-writable"):
        lsb.pidofproc(SLEEP, str(pidfile))


@pytest.mark.requires_root
def test_pidfile_may_be_anybodys(pidfile: Path) -> None:
    """Daemons write theirs as their own user."""
    pidfile.write_text(f"{os.getpid()}\n")
    os.chown(pidfile, NOBODY, NOBODY)
    assert 0 == lsb.pidofproc(SLEEP, str(pidfile)).status


def test_without_a_pidfile_the_newest_process_comes_first() -> None:
    """All processes that run the file are found."""
    with child() as first, child() as second:
        found = lsb.pidofproc(SLEEP)
    ours = [pid for pid in found.pids if pid in (first.pid, second.pid)]
    assert (0, sorted([first.pid, second.pid], reverse=True)) == (found.status, ours)
    assert sorted(found.pids, reverse=True) == found.pids


def test_pids_can_be_omitted() -> None:
    """A shell that asks is no daemon."""
    with child() as process:
        assert process.pid not in lsb.pidofproc(SLEEP, omit=[process.pid]).pids


# start_daemon ---------------------------------------------------------------------------


def test_status_is_the_programs() -> None:
    """A signal's number is negative."""
    assert 7 == lsb.start_daemon("/bin/sh", "-c", "exit 7")
    assert -9 == lsb.start_daemon("/bin/sh", "-c", "kill -KILL $$")


def test_program_starts_in_the_callers_directory_unless_told(tmp_path: Path) -> None:
    """Not in /, as with start-stop-daemon."""
    check = 'test "$(pwd -P)" = "$1"'
    assert 0 == lsb.start_daemon("/bin/sh", "-c", check, "sh", os.getcwd())
    assert 0 == lsb.start_daemon("/bin/sh", "-c", check, "sh", str(tmp_path), directory=tmp_path)


def test_niceness_is_added() -> None:
    """As nice(2) does."""
    code = f"import os, sys; sys.exit(os.nice(0) - {os.nice(0)})"
    most = 19 - os.nice(0)  # sched(7)
    assert min(3, most) == lsb.start_daemon(sys.executable, "-c", code, nice=3)


def test_what_runs_is_not_started(pidfile: Path, tmp_path: Path) -> None:
    """Unless it is forced, or the pidfile names another program."""
    made = tmp_path / "made"
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.start_daemon(SLEEP, "bad", pidfile=str(pidfile))
        assert 0 == lsb.start_daemon("/usr/bin/touch", str(made), pidfile=str(pidfile))
        assert made.exists()
        assert 1 == lsb.start_daemon(SLEEP, "bad", pidfile=str(pidfile), force=True)
        assert 1 == lsb.start_daemon(SLEEP, "bad")


def test_missing_program_is_an_error() -> None:
    """Which it is depends on whether it had to be looked for."""
    with pytest.raises(errors.ExecutableMissing):
        lsb.start_daemon("/nonexistent/program")
    with pytest.raises(errors.StartFailed):
        lsb.start_daemon("/nonexistent/program", force=True)


# killproc -------------------------------------------------------------------------------


def test_without_a_signal_it_is_ended_and_waited_for(pidfile: Path) -> None:
    """Its pidfile stays."""
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc(SLEEP, pidfile=str(pidfile))
        assert -15 == process.wait()
    assert pidfile.exists()


@pytest.mark.parametrize("name", ["KILL", "-KILL", "SIGKILL", "-SIGKILL", "9", "-9"])
def test_signal_has_many_spellings(name: str, pidfile: Path) -> None:
    """Only that one is sent."""
    with stubborn() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc(SLEEP, name, str(pidfile))
        assert -9 == process.wait()


def test_process_of_another_name_is_let_alone(pidfile: Path) -> None:
    """The pid may have been given to somebody else."""
    with child() as process:
        pidfile.write_text(f"{process.pid}\n")
        assert 0 == lsb.killproc("/usr/sbin/other", pidfile=str(pidfile))
        assert 3 == lsb.killproc("/usr/sbin/other", "HUP", str(pidfile))
        assert None is process.poll()


def test_after_term_a_stale_pidfile_is_removed(pidfile: Path) -> None:
    """Only then, and only one that was named."""
    pidfile.write_text(f"{unused_pid()}\n")
    assert 3 == lsb.killproc(SLEEP, "HUP", str(pidfile))
    assert pidfile.exists()
    assert 0 == lsb.killproc(SLEEP, "TERM", str(pidfile))
    assert not pidfile.exists()


@pytest.mark.parametrize("name", ["BOGUS", "65", "999", "hup", "SIG", "--HUP"])
def test_unknown_signal_is_an_error(name: str, pidfile: Path) -> None:
    """Before anybody is looked for; "SIG" alone is none."""
    if name == "SIG":
        assert 0 == lsb.killproc(SLEEP, name, str(pidfile))
    else:
        with pytest.raises(ScheduleError):
            lsb.killproc(SLEEP, name, str(pidfile))


def test_program_has_a_name(pidfile: Path) -> None:
    """A directory is none."""
    with pytest.raises(ValueError, match="names no program"):
        lsb.killproc("/usr/sbin/", pidfile=str(pidfile))


# What the command makes of it -----------------------------------------------------------

# what killproc raises -> status and words
FAILURES = {
    "not stopped": (errors.NotStopped([ONE]), 1, "process 123 would not end"),
    "not permitted": (errors.NotPermitted([ONE]), 4, "no permission to signal process 123"),
    "unsafe": (errors.PidfileUnsafe("/p", "why"), 1, "matching on pidfile /p is insecure: why"),
    "no table": (errors.ProcessTableError("why"), 1, "unable to read the process table: why"),
    "signal": (ScheduleError("unknown signal", "X"), 2, "unknown signal: 'X'"),
    "usage": (ValueError("x"), 2, "usage: killproc [-p PIDFILE] PATHNAME [SIGNAL]"),
    "system": (OSError(24, "Too many open files"), 1, "Too many open files"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failed_stop_says_why_and_is_no_success(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each with the status that LSB has for it."""
    error, status, words = FAILURES[name]

    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(daemons, "killproc", fail)
    assert status == command.main(["--as", "NAME", "killproc", "/usr/sbin/x"])
    out, err = capfd.readouterr()
    assert "" == out
    assert err.startswith("NAME: killproc: ")
    assert words in err


@pytest.mark.parametrize("words", [[], ["pidof"], ["--as"], ["--as", "NAME"]], ids=str)
def test_unknown_function_is_refused(words: list, capfd: pytest.CaptureFixture[str]) -> None:
    """Status 3, unimplemented, and the list of those there are."""
    assert 3 == command.main(words)
    assert " start_daemon pidofproc killproc " in capfd.readouterr().err


# The log_ family ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "returned"),
    [(0, 0), (3, 3), (255, 255), (256, OVERFLOW), (-1, OVERFLOW), ("7", 7), ("+0", 0)],
)
def test_line_returns_the_status_it_ends_with(
    status: int | str, returned: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A number or a text of one; 255 where it can be no exit status."""
    assert returned == lsb.log_end_msg(status)
    assert capfd.readouterr().out.endswith("\n")


@pytest.mark.parametrize("function", [lsb.log_end_msg, lsb.log_action_end_msg])
@pytest.mark.parametrize("text", ["x", "1x", "--1", "\u0661", " 1", "1" * 5000 + "x"])
def test_text_that_is_no_status_ends_the_line_and_is_an_error(
    function, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was begun does not stay open."""
    with pytest.raises(ValueError, match="is no exit status"):
        function(text)
    assert "failed" in capfd.readouterr().out


def test_every_function_of_the_command_is_one_of_the_library() -> None:
    """And the other way round."""
    assert {*command.FUNCTIONS, "Found"} == set(lsb.__all__)
    for name in lsb.__all__:
        assert callable(getattr(lsb, name))


def test_every_function_is_on_the_page(checkout: Path) -> None:
    """docs/reference/lsb.md has a paragraph for each, in the order of the command's list."""
    lines = (checkout / "docs" / "reference" / "lsb.md").read_text().splitlines()
    found = [line.split("**")[1] for line in lines if line.startswith("**")]
    assert list(command.FUNCTIONS) == found

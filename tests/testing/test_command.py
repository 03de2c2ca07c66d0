"""The command in this process, on declared processes."""

import os
import signal
import sys
from pathlib import Path

import pytest
from kit.leaks import nothing_left

from ssd.testing import (
    FakeProcesses,
    NotRegistered,
    SsdCommand,
    WaitsForEver,
    daemonizes,
    dies,
    exits,
    ignores,
    in_turn,
)

TERM, KILL = signal.SIGTERM, signal.SIGKILL
WEBD = "/usr/sbin/webd"  # not on disk


def started(pidfile: Path, *options: str) -> list[str]:
    """Return the words that start the daemon in the background."""
    words = ["--start", "--background", "--make-pidfile", "--pidfile", str(pidfile)]
    return [*words, *options, "--exec", WEBD, "--", "-f"]


def test_daemons_life(
    ssd_command: SsdCommand, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """It is started once, runs, is stopped by the schedule, and its pidfile is removed."""
    fake_processes.register(WEBD, reactions={TERM: dies(after=35)})
    say = f"Stopped process in pidfile '{pidfile}' (pid 101)"
    stop = ["--stop", "--pidfile", pidfile, "--retry", "TERM/30/KILL/5", "--verbose"]
    assert (3, "", "") == ssd_command("--status", "--pidfile", pidfile)
    assert (0, "", "") == ssd_command(*started(pidfile))
    assert (1, f"{WEBD} already running.\n", "") == ssd_command(*started(pidfile))
    assert (0, "101\n", "") == ssd_command("--pidof", "--exec", WEBD)
    assert (0, f"{say}.\n{say}, retry #1.\n", "") == ssd_command(*stop, "--remove-pidfile")
    assert (False, [(0, TERM), (30, KILL)]) == (
        pidfile.exists(), fake_processes.started[0].signals,
    )  # fmt: skip


# command line -> status, output, error
SENTENCES = {
    "--status --pid 101": (0, "", ""),
    "--status --pid 102": (3, "", ""),
    "--start --name d --startas /x": (1, "process already running.\n", ""),
    "--start --oknodo --name d --startas /x": (0, "process already running.\n", ""),
    "--start --test --name e --startas /x -- -v": (0, "Would start /x -v .\n", ""),
    "--stop --name e": (1, "No e found running; none killed.\n", ""),
    "--stop --quiet --oknodo --name e": (0, "", ""),
    "--stop --test --name d": (0, "Would send signal 15 to 101.\n", ""),
    "--stop --name d --retry 1/KILL/1": (
        2, "Program d, 1 process(es), refused to die.\n", "",
    ),
    "--status --exec /none": (
        4, "", "ssd: unable to stat /none (No such file or directory)\n",
    ),
    "--stop --user nobody-of-that-name": (
        2, "", "ssd: user 'nobody-of-that-name' not found\n",
    ),
    "--bogus": (
        3, "", "ssd: unrecognized option '--bogus'\nTry 'ssd --help' for more information.\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", SENTENCES)
def test_command_says_and_returns_what_it_would(
    line: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """Exit status, standard output and standard error, as from a process of its own."""
    fake_processes.add("d", reactions={KILL: ignores(), TERM: ignores()})
    assert SENTENCES[line] == ssd_command(*line.split())


def test_words_may_be_numbers_and_paths(ssd_command: SsdCommand, pidfile: Path) -> None:
    """Tests have both."""
    process = ssd_command.table.add("d")
    pidfile.write_text(f"{process.pid}\n")
    assert (0, 0) == (
        ssd_command("--status", "--pid", process.pid).exit_status,
        ssd_command("--stop", "--pidfile", pidfile, "--retry", 5).exit_status,
    )


def test_denied_signal_is_reported(ssd_command: SsdCommand) -> None:
    """The command has the permissions of the fake caller."""
    ssd_command.table.caller_uid = 1000
    ssd_command.table.add("d")
    result = ssd_command("--stop", "--name", "d")
    assert (1, "ssd: warning: failed to kill 101: Operation not permitted\n") == (
        result.exit_status, result.stderr,
    )  # fmt: skip
    assert "1 pids were not killed" in result.stdout


# what a program in the foreground runs -> the exit status of the command
FOREGROUND = {
    "it ends well": (exits(0, after=5), 0),
    "it ends badly": (exits(7), 7),
    "it is killed": (dies(after=1, status=-KILL), 128 + KILL),
    "it makes itself a daemon": (daemonizes(), 0),
}


@pytest.mark.parametrize("case", FOREGROUND)
def test_start_in_the_foreground_ends_with_its_program(
    case: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """It replaces ssd, so its exit status is the command's."""
    runs, status = FOREGROUND[case]
    fake_processes.register(WEBD, runs=runs)
    assert (status, "", "") == ssd_command("--start", "--exec", WEBD)
    assert "gone" == fake_processes.started[0].state


def test_start_in_the_foreground_that_would_not_return_raises(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """The test fails, and does not hang."""
    fake_processes.register(WEBD)
    with pytest.raises(WaitsForEver, match="foreground.*--background"):
        ssd_command("--start", "--exec", WEBD)


def test_unregistered_program_is_the_tests_mistake(ssd_command: SsdCommand, pidfile: Path) -> None:
    """It is an exception, and not an exit status of the command."""
    ssd_command.table.files.declare(WEBD)
    with pytest.raises(NotRegistered, match="nothing is registered for '/usr/sbin/webd'"):
        ssd_command(*started(pidfile))


def test_executable_that_is_nowhere_is_missing(ssd_command: SsdCommand) -> None:
    """As on a real machine, where it is checked before the start."""
    missing = ssd_command("--start", "--background", "--exec", WEBD)
    said = f"ssd: unable to stat {WEBD} (No such file or directory)\n"
    assert (2, "", said) == missing


@pytest.mark.parametrize(
    ("ready_after", "status", "seconds"), [(2, 0, 2), (None, 2, 60)], ids=["ready", "never"]
)
def test_start_that_waits_for_a_notification_jumps_to_it(
    ready_after: float | None, status: int, seconds: float,
    ssd_command: SsdCommand, pidfile: Path, fake_processes: FakeProcesses,
) -> None:  # fmt: skip
    """Or to the end of the time."""
    fake_processes.register(WEBD, ready_after=ready_after)
    done = ssd_command(*started(pidfile, "--notify-await"))
    assert (status, seconds) == (done.exit_status, fake_processes.now())


def state() -> dict[str, object]:
    """Return what a command in the test's process must not change."""
    umask = os.umask(0o022)
    os.umask(umask)
    return {
        "umask": umask,
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "handlers": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "streams": [sys.stdin, sys.stdout, sys.stderr],
    }


def test_this_process_is_left_as_it_was(
    ssd_command: SsdCommand, pidfile: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No descriptor, no disposition of a signal, no umask, and nothing is written."""
    ssd_command.table.register(WEBD)
    before = state()
    with nothing_left():
        ssd_command(*started(pidfile, "--umask", "077", "--nicelevel", "3", "--chdir", "/tmp"))
        ssd_command("--status", "--pidfile", pidfile)
        ssd_command("--stop", "--pidfile", pidfile, "--retry", "5", "--verbose")
        ssd_command("--help")
        ssd_command("--bogus")
    assert before == state()
    assert ("", "") == tuple(capfd.readouterr())


def test_help_is_the_commands_own(ssd_command: SsdCommand) -> None:
    """Commands that need no process work as well."""
    assert ssd_command("--help").stdout.startswith("Usage: ssd [option...] command")
    assert ssd_command("--version").stdout.startswith("ssd ")


@pytest.mark.parametrize("hidepid", [False, True])
def test_daemon_that_hides_itself_is_managed(
    hidepid: bool, ssd_command: SsdCommand, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """By its pid it is running and can be stopped; by its program its state is unknown."""
    fake_processes.register(WEBD)
    fake_processes.caller_uid = os.getuid()
    fake_processes.hidepid = hidepid
    match = ["--pidfile", pidfile]
    assert (0, "", "") == ssd_command(*started(pidfile))
    if fake_processes.caller_uid == 0:
        fake_processes.caller_uid = 1000
    daemon = fake_processes.started[0]
    daemon.uid, daemon.dumpable = fake_processes.caller_uid, False
    unclear = (
        f"ssd: process {daemon.pid} runs, but this user may not read whether it is the daemon; "
        "run this as its user, match by its pid alone, or remove the pidfile if it is out of date\n"
    )
    assert (0, "", "") == ssd_command("--status", *match)
    assert (4, "", unclear) == ssd_command("--status", *match, "--exec", WEBD)
    assert (2, "", unclear) == ssd_command(*started(pidfile))
    assert (2, "", unclear) == ssd_command("--stop", "--oknodo", *match, "--exec", WEBD)
    assert [] == daemon.signals
    assert (0, "", "") == ssd_command("--stop", "--retry", "5", *match)
    assert (1, "", "") == ssd_command("--status", *match, "--exec", WEBD)


def test_wait_of_a_start_ends_with_the_program(
    ssd_command: SsdCommand, pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """Its status and signal are told on standard error; a program that lives is started."""
    fake_processes.register(WEBD, runs=in_turn(exits(1, after=0.31), exits(after=6)))
    said = (
        "ssd: webd (pid 101) ended after 0.3 seconds with status 1 (of 5 that --wait or readiness"
        " asks for); its output went to /dev/null, see --output\n"
    )
    assert (2, "", said) == ssd_command(*started(pidfile, "--wait", "5"))
    assert not pidfile.exists()
    assert (0, "", "") == ssd_command(*started(pidfile, "--wait", "5"))
    assert 5.31 == fake_processes.now()

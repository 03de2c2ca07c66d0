"""The exit status of the command ``ssd`` in every case, and --status and --pidof.

The conformance suite shows that the kernel's table treats zombies as dead; tests/real has one of
each with the original beside it.
"""

import os
from pathlib import Path

import pytest

from ssd import cli
from ssd.errors import NotStopped
from ssd.testing import FakeProcess, FakeProcesses, SsdCommand

WEBD = "/usr/sbin/webd"  # on no disk


@pytest.fixture
def zombie(fake_processes: FakeProcesses, pidfile: Path) -> FakeProcess:
    """Return a zombie, whose pid is in the pidfile."""
    process = fake_processes.add("webd", exe=WEBD, ppid=fake_processes.caller.pid,
                                 reaped_after=None)  # fmt: skip
    process.die()
    pidfile.write_text(f"{process.pid}\n")
    return process


MATCHES = {
    "pid": "--pid {pid}", "pidfile": "--pidfile {pidfile}", "name": "--name webd",
    "exec": f"--exec {WEBD}", "ppid": "--ppid 100",
}  # fmt: skip


@pytest.mark.parametrize("match", MATCHES)
def test_stop_is_done_with_a_zombie(
    match: str, zombie: FakeProcess, ssd_command: SsdCommand, pidfile: Path
) -> None:
    """If only a zombie matches, nothing is signalled and there is no wait."""
    words = MATCHES[match].format(pid=zombie.pid, pidfile=pidfile).split()
    done = ssd_command("--stop", "--retry", "TERM/1000", *words)
    assert (1, True) == (done.exit_status, done.stdout.endswith("found running; none killed.\n"))
    assert ("zombie", [], 0) == (zombie.state, zombie.signals, ssd_command.table.now())


@pytest.mark.parametrize(("match", "status"), [("pidfile", 1), ("pid", 3), ("name", 3)])
def test_status_of_a_zombie_is_dead(
    match: str, status: int, zombie: FakeProcess, ssd_command: SsdCommand, pidfile: Path
) -> None:
    """It is 1 with a pidfile and 3 without, and no pid is listed."""
    words = MATCHES[match].format(pid=zombie.pid, pidfile=pidfile).split()
    assert (status, "", "") == ssd_command("--status", *words)
    assert (status, "", "") == ssd_command("--pidof", *words)


def test_start_over_a_zombie_starts(
    zombie: FakeProcess, ssd_command: SsdCommand, pidfile: Path
) -> None:
    """A zombie does not prevent a new daemon."""
    ssd_command.table.register(WEBD)
    words = ["--start", "--background", "--make-pidfile", "--pidfile", pidfile, "--startas", WEBD]
    assert (0, "", "") == ssd_command(*words)
    (daemon,) = ssd_command.table.started
    assert (f"{daemon.pid}\n", "zombie") == (pidfile.read_text(), zombie.state)


# command line -> exit status, a word of the complaint
FAULTS = {
    "--bogus": (3, "unrecognized option"),
    "--status --bogus": (4, "unrecognized option"),
    "--pidof --pid x": (4, "must be a number"),
    "--start --name x --startas /x --chuid nova:": (2, "missing group name"),
    "--status --name x --chuid nova:": (4, "missing group name"),
    "--stop --exec /none": (2, "unable to stat"),
    "--status --exec /none": (4, "unable to stat"),
    "--status --pid 1 --chuid no-such-account": (4, "not found"),
}


@pytest.mark.parametrize("line", FAULTS)
def test_fault_is_2_or_3_and_4_if_a_status_was_asked_for(
    line: str, ssd_command: SsdCommand
) -> None:
    """LSB's 4 is an unknown status; the original's binary has 2 for all but usage errors."""
    status, words = FAULTS[line]
    done = ssd_command(*line.split())
    assert (status, "", True) == (done.exit_status, done.stdout, words in done.stderr)
    assert line.startswith("--") and done.stderr.startswith("ssd: ")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecursionError("too deep"), "unforeseen error: RecursionError: too deep ("),
        (OSError(24, "Too many open files"), "Too many open files\n"),
        (NotStopped([]), "still running"),
    ],
)
@pytest.mark.parametrize(("line", "status"), [("--status --pid 1", 4), ("--stop --pid 1", 2)])
def test_error_of_any_class_is_a_status_and_a_line(
    line: str, status: int, error: Exception, words: str,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """An unforeseen one too: Python's own 1 would look like an answer."""

    def fail(*arguments: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_run", fail)
    assert status == cli.main(["/usr/bin/ssd", *line.split()])
    out, err = capfd.readouterr()
    assert ("", True, 1) == (out, err.startswith(f"ssd: {words}"), err.count("\n"))


def test_long_name_is_warned_of(ssd_command: SsdCommand) -> None:
    """The kernel stores 15 bytes; the status is still reported."""
    assert (3, "", "") == ssd_command("--status", "--name", "a-name-of-15-by")
    done = ssd_command("--status", "--name", "a-name-of-16-byt")
    assert (3, "", True) == (done.exit_status, done.stdout, "longer than 15" in done.stderr)


def test_directory_of_the_link_leaves_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ssd-service --with-ssd`` puts it there for the script, not for the daemon."""
    monkeypatch.setattr(cli, "run", lambda *arguments: 0)
    monkeypatch.setenv("PATH", "/run/ssd-service/1:/usr/bin:/run/ssd-service/1:/bin")
    assert 0 == cli.main(["/run/ssd-service/1/start-stop-daemon", "--status"])
    assert "/usr/bin:/bin" == os.environ["PATH"]

"""``ssd --start``: its output, and the Command that its options describe."""

from pathlib import Path

import pytest

from ssd.cli import options, run
from ssd.cli.start import command_of
from ssd.starting.command import Command
from ssd.testing import FakeProcesses, SsdCommand
from ssd.testing.command import Heard

WEBD = "/usr/sbin/webd"  # not on disk


class Terminal(Heard):
    """A voice whose standard output is a terminal."""

    def on_terminal(self) -> bool:
        """Tell that it is one."""
        return True


# options -> what --test says after the program and its arguments
CHANGES = {
    "": "",
    "--chuid root:root": " (as user root[0], and group root[0])",
    "--chroot /srv": " in directory /srv",
    "--nicelevel 5": ", and add 5 to the priority",
    "--procsched other": ", with scheduling policy other with priority 0",
    "--iosched idle": ", with IO scheduling class idle with priority 7",
    "--chuid root:root --chroot /srv --nicelevel -5": (
        " (as user root[0], and group root[0]) in directory /srv, and add -5 to the priority"
    ),
}


@pytest.mark.parametrize("line", CHANGES)
def test_start_in_test_mode_names_every_change(line: str, ssd_command: SsdCommand) -> None:
    """In the original's words, on standard output."""
    done = ssd_command(
        "--start", "--test", "--name", "e", "--startas", "/x", *line.split(), "--", "-v"
    )
    assert (0, f"Would start /x -v {CHANGES[line]}.\n", "") == done


@pytest.mark.parametrize(
    ("line", "status", "output"),
    [
        ("--name d", 1, "process already running.\n"),
        ("--name d --oknodo", 0, "process already running.\n"),
        ("--name d --quiet", 1, ""),
        ("--name d --test", 1, "process already running.\n"),
        (f"--exec {WEBD}", 1, f"{WEBD} already running.\n"),
        ("--exec webd --chdir /usr/sbin", 1, "/usr/sbin/webd already running.\n"),
    ],
)
def test_start_of_a_running_program_does_nothing(
    line: str, status: int, output: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """It says so; with --oknodo that is a success."""
    fake_processes.add("d", exe=WEBD)
    assert (status, output, "") == ssd_command("--start", "--startas", "/x", *line.split())
    assert [] == fake_processes.started


def test_verbose_start_reports_progress_on_a_terminal_only(
    pidfile: Path, fake_processes: FakeProcesses
) -> None:
    """The original's buffer is lost by its exec."""
    fake_processes.register(WEBD)
    words = ["--start", "--background", "--verbose", "--exec", WEBD]
    said = {}
    for voice in (Terminal("ssd"), Heard("ssd")):
        assert 0 == run([*words, "--pidfile", f"{pidfile}{len(said)}", "-m"], voice, fake_processes)
        said[type(voice)] = voice.texts
    progress = f"Starting {WEBD}...\nDetaching to start {WEBD}...\nDetaching complete...\n"
    assert {Terminal: {1: progress, 2: ""}, Heard: {1: "", 2: ""}} == said


def test_options_become_a_command() -> None:
    """Each option of the start is one of the Command's attributes."""
    given = options.Options()
    line = (
        "--start -x /x -r /srv -d /tmp -c nova:kvm -k 027 -N 3 -P rr:5 -I best-effort:2 -b -C "
        "-O /log -- -a b"
    )
    options.read(line.split(), given)
    expected = Command(
        ["/x", "-a", "b"],
        directory="/tmp",
        root="/srv",
        user="nova",
        group="kvm",
        umask=0o27,
        nice=3,
        cpu_scheduling=("rr", 5),
        io_scheduling=("best-effort", 2),
        output="/log",
        close=False,
    )
    assert expected == command_of(given, "/x")
    assert Command(["/x"], directory="/") == command_of(options.Options(), "/x")

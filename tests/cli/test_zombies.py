"""What the command makes of a process that has ended and that nobody has reaped.

That the kernel's table has it for dead is the conformance suite's to show, and one of each
with the original beside it is in tests/real.
"""

from pathlib import Path

import pytest

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
    """Nothing is signalled and nothing is waited for where a zombie is all there is."""
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
    """A zombie does not stand in the way of a new daemon."""
    ssd_command.table.register(WEBD)
    words = ["--start", "--background", "--make-pidfile", "--pidfile", pidfile, "--startas", WEBD]
    assert (0, "", "") == ssd_command(*words)
    (daemon,) = ssd_command.table.started
    assert (f"{daemon.pid}\n", "zombie") == (pidfile.read_text(), zombie.state)

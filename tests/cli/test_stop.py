"""``ssd --stop``: its output, and ``--remove-pidfile``."""

import signal
from pathlib import Path

import pytest
from kit.children import child, python
from kit.leaks import listing
from kit.locks import TRY

from ssd import pidfile
from ssd.cli import options
from ssd.cli.stop import stop
from ssd.stdio import Voice
from ssd.testing import FakeProcesses, SsdCommand, dies, ignores


def test_pidfile_is_removed_under_the_lock_of_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that writes its pid between look and removal would leave an unknown daemon."""
    path = tmp_path / "pid"
    seen = []

    def remove(name: str) -> bool:
        seen.append(python(TRY, path).stdout)
        return remove_it(name)

    remove_it = pidfile.remove
    monkeypatch.setattr(pidfile, "remove", remove)
    given = options.Options()
    words = ["--stop", "--quiet", "--pidfile", str(path), "--remove-pidfile", "--retry=60"]
    options.read(words, given)
    with child() as process:
        path.write_text(f"{process.pid}\n")
        assert 0 == stop(given, Voice("ssd", given.quietness))
    assert ([b"StartBlocked\n"], []) == (seen, listing(tmp_path))


TERM, HUP = signal.SIGTERM, signal.SIGHUP
# command line -> exit status, output, error
OUTPUT = {
    "--stop --name d": (0, "", ""),
    "--stop --name d --test --signal HUP": (
        0, "Would send signal 1 to 102.\nWould send signal 1 to 101.\n", "",
    ),
    "--stop --pid 101 --test --retry 5": (
        0, "Ignoring --retry in test mode\nWould send signal 15 to 101.\n", "",
    ),
    "--stop --pid 4711 --test": (0, "Would send signal 15 to 4711.\n", ""),
    "--stop --pid 4711": (
        1, "1 pids were not killed\nNo process with pid 4711 found running; none killed.\n",
        "ssd: warning: failed to kill 4711: No such process\n",
    ),
    "--stop --pid 4711 --quiet --oknodo --signal 0": (0, "", ""),
    "--stop --name d --verbose --retry TERM/1/KILL/1": (
        0, "Stopped d (pid 101 102).\nStopped d (pid 102), retry #1.\n", "",
    ),
    "--stop --ppid 100 --retry TERM/1": (
        2, "Program process(es) with parent pid 100, 1 process(es), refused to die.\n", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", OUTPUT)
def test_stop_says_what_the_original_says(
    line: str, ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """Byte for byte on standard output."""
    parent = fake_processes.caller.pid
    fake_processes.add("d", ppid=parent, reactions={TERM: dies(), HUP: ignores()})
    fake_processes.add("d", ppid=parent, reactions={TERM: ignores()})
    assert OUTPUT[line] == ssd_command(*line.split())


def test_special_pidfile_is_kept_with_a_warning(
    ssd_command: SsdCommand, fake_processes: FakeProcesses
) -> None:
    """Root must not remove /dev/null."""
    fake_processes.add("d")
    words = ["--stop", "--name", "d", "--pidfile", "/dev/null", "--remove-pidfile"]
    done = ssd_command(*words, "--oknodo")
    assert (0, True) == (done.exit_status, "pidfile '/dev/null' is kept: " in done.stderr)

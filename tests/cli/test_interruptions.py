"""The command with closed or full output, and interrupted by a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child, ended, python, until_readable
from kit.leaks import listing
from kit.libc import Watch
from kit.locks import TRY, take

from ssd.testing import Daemons

SLEEP = ["--startas", "/bin/sleep", "--", "1000"]

# Without a reader -----------------------------------------------------------------------


@contextmanager
def full() -> Iterator[int]:
    """Return a descriptor of a device that is always full."""
    fd = os.open("/dev/full", os.O_WRONLY)
    yield fd
    os.close(fd)


@contextmanager
def broken() -> Iterator[int]:
    """Return a pipe that is not read any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


DEAF = {"a full device": full, "a broken pipe": broken}
SPOKEN = {
    "--help": 0,
    "--version": 0,
    "--bogus": 3,
    "--status --bogus": 4,
    "--status --pid {pid}": 0,
    "--pidof --pid {pid}": 0,
    "--stop --verbose --pid {pid}": 0,
    "--stop --test --pid {pid}": 0,
    "--stop --pidfile {none}": 1,
    "--start --test --pidfile {none} --startas /x": 0,
    "--start --pid {pid} --startas /x": 1,
    "--start --verbose --pidfile {none} --startas /x": 2,
    "--start --verbose --background --pidfile {none} --startas /x": 2,
    "--start --verbose --pidfile {none} --startas /bin/true": 0,
    "--start --verbose --background --pidfile {none} --startas /bin/true": 0,
}


@pytest.mark.parametrize("deaf", DEAF)
@pytest.mark.parametrize("line", SPOKEN)
def test_exit_status_does_not_depend_on_being_heard(
    line: str, deaf: str, tmp_path: Path, ssd_path: Path
) -> None:
    """The work is done, and the status tells the result, whether or not the text is written."""
    with child() as process, DEAF[deaf]() as fd:
        words = line.format(pid=process.pid, none=tmp_path / "none").split()
        status = subprocess.call([ssd_path, *words], stdout=fd, stderr=fd, timeout=WAIT_TIMEOUT)
    assert SPOKEN[line] == status


# Interrupted ----------------------------------------------------------------------------

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@pytest.mark.parametrize("signum", SIGNALS)
def test_interrupted_stop_ends_by_the_signal(
    signum: signal.Signals, tmp_path: Path, ssd_path: Path, daemon: Daemons
) -> None:
    """The daemon lives on, and so does its pidfile."""
    process = daemon("--ignore", "TERM")
    assert process.stdout is not None
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    words = ["--stop", "--pidfile", tmp_path / "pid", "--remove-pidfile", "--retry=TERM/1000"]
    with subprocess.Popen([ssd_path, *words]) as stop:
        assert "got TERM\n" == process.stdout.readline()
        stop.send_signal(signum)
        assert -signum == stop.wait(WAIT_TIMEOUT)
    assert process.poll() is None
    assert (["pid"], f"{process.pid}\n") == (listing(tmp_path), (tmp_path / "pid").read_text())


@pytest.mark.parametrize("signum", SIGNALS)
def test_start_that_waits_for_the_lock_ends_by_the_signal(
    signum: signal.Signals, tmp_path: Path, ssd_path: Path
) -> None:
    """Nothing was started, nothing written, and the next start is not blocked."""
    lock = take(tmp_path / "pid")
    file = Path(lock.path)
    words = [ssd_path, "--start", "-b", "-m", "--pidfile", tmp_path / "pid", *SLEEP]
    with Watch(file.parent, Watch.OPEN) as watch, subprocess.Popen(words) as start:
        watch.until(file.name)
        start.send_signal(signum)
        assert -signum == start.wait(WAIT_TIMEOUT)
    lock.release()
    assert [] == listing(tmp_path)
    assert 0 == subprocess.call(words, timeout=WAIT_TIMEOUT)
    with ended(int((tmp_path / "pid").read_text())):
        assert ["pid"] == listing(tmp_path)


# Kills the command right before its future daemon is executed (sys.audit, os.exec).
KILLED = """
import os, signal, sys
from ssd.cli import main
command = os.getpid()
def kill(event, arguments):
    if event == "os.exec" and os.getpid() != command:
        os.kill(command, signal.SIGKILL)
sys.addaudithook(kill)
main(["ssd", *sys.argv[1:]])
"""


def test_start_that_is_killed_before_it_fails_leaves_no_pidfile(tmp_path: Path) -> None:
    """If the start fails, the future daemon removes its own pidfile."""
    words = ["--start", "-b", "-m", "--pidfile", tmp_path / "pid", "--startas", tmp_path / "none"]
    assert -signal.SIGKILL == python(KILLED, *words).returncode
    take(tmp_path / "pid").release()  # it holds the lock until its end
    assert [] == listing(tmp_path)


def test_ignored_interrupt_stays_ignored(tmp_path: Path, ssd_path: Path) -> None:
    """A shell's background job ignores SIGINT, and so does the program it starts."""
    code = "grep SigIgn /proc/self/status"
    words = [ssd_path, "--start", "--pidfile", tmp_path / "pid", "--startas", "/bin/sh", "--"]
    script = 'trap "" INT QUIT; exec "$@"'
    found = {}
    for tool in (words, ["sh"]):
        argv = ["sh", "-c", script, "sh", *tool, "-c", code]
        found[len(tool)] = subprocess.run(argv, capture_output=True, text=True).stdout
    assert 1 == len(set(found.values()))


def test_ignored_childs_death_does_not_spoil_a_start(tmp_path: Path, ssd_path: Path) -> None:
    """With SIGCHLD ignored no process can wait for its children; the daemon still runs."""
    words = [ssd_path, "--start", "-b", "-m", "--pidfile", tmp_path / "pid", *SLEEP]
    argv = ["sh", "-c", 'trap "" CHLD; exec "$@"', "sh", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    with ended(int((tmp_path / "pid").read_text())):
        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


# Hangs in the process that is about to become the program, and prints its pid.
HANGING = """
import os, signal, sys
from ssd.cli import main
event, said, *words = sys.argv[1:]
command, there = os.getpid(), []
def hang(name, arguments):
    if name == event and os.getpid() != command and not there:
        there.append(os.getpid())
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        with open(said, "w") as file:
            print(os.getpid(), file=file)
        signal.pause()
sys.addaudithook(hang)
sys.exit(main(["ssd", *words]))
"""


@pytest.mark.timeout(120)  # a process that does not hang prints nothing
@pytest.mark.parametrize("where", ["open", "os.chdir", "os.rename"])
@pytest.mark.parametrize("close", [(), ("--no-close",)], ids=["close", "no-close"])
def test_future_daemon_that_hangs_ends_when_ssd_is_killed(
    close: tuple[str, ...], where: str, tmp_path: Path
) -> None:
    """At every step, before and after it detaches; and its lock ends with it."""
    pipe = tmp_path / "said"
    os.mkfifo(pipe)
    words = [sys.executable, "-c", HANGING, where, pipe, "--start", "--background", *close, "-m",
             "--pidfile", tmp_path / "pid", "--output", tmp_path / "out", *SLEEP]  # fmt: skip
    with subprocess.Popen(words) as start, open(pipe) as said:
        with ended(int(said.readline())) as hanging:
            start.kill()
            start.wait()
            until_readable(hanging)
    assert b"free\n" == python(TRY, tmp_path / "pid").stdout

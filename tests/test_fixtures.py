"""The fixtures that other tests rely on work as described."""

import os
import signal

import pytest
from conftest import Run
from kit.children import WAIT_TIMEOUT

from ssd.testing import Daemons


def test_child_says_which_signals_it_gets(daemon: Daemons) -> None:
    """A child reports each signal in a line, and TERM ends it with status 0."""
    child = daemon()
    for number in ("HUP", "TERM"):
        os.kill(child.pid, signal.Signals[f"SIG{number}"])
        assert child.stdout is not None
        assert child.stdout.readline() == f"got {number}\n"
    assert child.wait(WAIT_TIMEOUT) == 0


def test_child_loses_no_signal_to_a_term_that_overtakes_it(daemon: Daemons) -> None:
    """It reports both of two that came while it was stopped, as on a busy machine."""
    child = daemon()
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    for number in (signal.SIGTERM, signal.SIGCONT):
        os.kill(child.pid, number)
    assert child.stdout is not None
    assert "got CONT\ngot TERM\n" == child.stdout.read()


@pytest.mark.requires_namespaces
def test_namespace_sees_only_its_own_processes(in_namespace: Run) -> None:
    """Inside there are only the first process, the shell and its commands."""
    done = in_namespace("sh", "-c", "echo /proc/[0-9]*; ls -A /tmp | head -1; exit 7")
    pids = done.stdout.split("\n")[0].split()
    assert (7, 2) == (done.returncode, len(pids)), done.stderr
    assert "/proc/1" in pids


@pytest.mark.requires_namespaces
def test_namespace_keeps_the_tests_directory(in_namespace: Run, tmp_path) -> None:
    """A file of the test is visible inside, and a file made inside remains."""
    (tmp_path / "given").write_text("1")
    done = in_namespace("sh", "-c", "cat given && touch made && : > /run/lost")
    assert (0, "1") == (done.returncode, done.stdout), done.stderr
    assert (tmp_path / "made").exists()


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_namespace_has_devices_of_its_own(in_namespace: Run) -> None:
    """The null device works, and removing it changes nothing outside."""
    done = in_namespace("sh", "-c", "echo x > /dev/null && rm /dev/null && test ! -e /dev/null")
    assert 0 == done.returncode, done.stderr
    assert os.path.exists("/dev/null")

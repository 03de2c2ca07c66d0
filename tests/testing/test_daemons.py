"""Real child daemons: ready when they are returned, and reaped in the end."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import Run
from kit.children import WAIT_TIMEOUT, until_ended
from kit.leaks import nothing_left

import ssd
from ssd.testing import Daemons
from ssd.testing import daemons as children
from ssd.testing.daemons import NotSaidReady

SHELL = ["/bin/sh", "-c"]


def said(child: subprocess.Popen[str]) -> str:
    """Return the next line of a daemon."""
    assert child.stdout is not None
    return child.stdout.readline()


def test_daemon_tells_of_its_signals(daemon: Daemons) -> None:
    """It writes a line for each signal, and TERM ends it with status 0."""
    child = daemon()
    for name in ("HUP", "TERM"):
        os.kill(child.pid, signal.Signals[f"SIG{name}"])
        assert f"got {name}\n" == said(child)
    assert 0 == child.wait(WAIT_TIMEOUT)


def test_daemon_can_ignore_term(daemon: Daemons) -> None:
    """It writes a line, and lives: it also writes that of the next signal."""
    child = daemon("--ignore", "TERM")
    child.terminate()
    assert "got TERM\n" == said(child)
    child.send_signal(signal.SIGHUP)
    assert "got HUP\n" == said(child)


def test_daemon_of_ones_own_is_ready_when_it_has_said_so(daemon: Daemons) -> None:
    """A line that matches the pattern; the test can read those after it."""
    script = "echo starting; echo 'listening on 80'; echo more; exec sleep 1000"
    child = daemon(argv=[*SHELL, script], pattern="listening on [0-9]+")
    assert "more\n" == said(child)


def test_options_are_those_of_popen(daemon: Daemons, tmp_path: os.PathLike[str]) -> None:
    """The directory, the place of its errors, and a session of its own."""
    leader = daemon(start_new_session=True)
    assert leader.pid == os.getsid(leader.pid)
    child = daemon(argv=[*SHELL, "pwd; echo ready >&2; exec sleep 1000"],
                   cwd=tmp_path, stderr=subprocess.STDOUT)  # fmt: skip
    assert ssd.find(ssd.Match(pid=child.pid))


# command -> error
UNREADY = {
    "ends": ("echo hello; exit 3", r"ended with 3; it said \['hello\\n'\]"),
    "ends without a line": ("printf ready", r"ended with 0; it said \['ready'\]"),
    "says nothing": ("echo hello; exec sleep 1000", r"not ready in time; it said \['hello\\n'\]"),
}


@pytest.mark.parametrize("case", UNREADY)
def test_error_of_an_unready_daemon_has_its_output(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once if it has ended, else when the time is over; and it is reaped."""
    script, complaint = UNREADY[case]
    read, heard = children._line, []

    def line(child: subprocess.Popen[str], until: float) -> str | None:
        # The time is over when the first line has come, however long that took.
        heard.append(read(child, -1.0 if heard and "time" in complaint else until))
        return heard[-1]

    monkeypatch.setattr(children, "_line", line)
    with nothing_left(), Daemons() as daemons, pytest.raises(NotSaidReady, match=complaint):
        daemons(argv=[*SHELL, script], pattern="never", timeout=WAIT_TIMEOUT)


def test_daemon_has_its_time_to_get_ready() -> None:
    """The caller's text, to the end."""
    with Daemons() as daemons, pytest.raises(NotSaidReady, match="not ready in time"):
        daemons(argv=["sleep", "1000"], timeout=0.05)


def test_daemons_are_reaped_with_their_children() -> None:
    """Also daemons that were reaped already, or that closed their output."""
    code = "import os, time; child = os.fork(); child and print('ready', child, flush=True); "
    with nothing_left():
        with Daemons() as daemons:
            quiet = daemons(argv=[*SHELL, "echo ready; exec sleep 1000 > /dev/null"])
            ended = daemons(argv=[*SHELL, "echo ready"])
            parent = daemons("-c", code + "time.sleep(1000)", argv=[sys.executable])
            (child,) = ssd.find(ssd.Match(ppid=parent.pid))
            assert 0 == ended.wait(WAIT_TIMEOUT)
        assert [-signal.SIGKILL] * 2 == [quiet.returncode, parent.returncode]
    until_ended(child.pid)


REUSED = """
import os, signal, subprocess
from pathlib import Path
from ssd.testing import Daemons

with Daemons() as daemon:
    child = daemon()
    child.send_signal(signal.SIGKILL)
    os.waitpid(child.pid, 0)
    while True:
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(child.pid - 1))
        other = subprocess.Popen(["/bin/sleep", "1000"], process_group=0)
        if other.pid == child.pid:
            break
        other.kill()
        other.wait()
print(other.poll())
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_next_owner_of_a_daemons_pid_is_spared(in_namespace: Run) -> None:
    """The test has reaped the daemon itself, and its next child has the same pid."""
    if not os.path.exists("/proc/sys/kernel/ns_last_pid"):
        pytest.skip("the kernel does not let the next pid be chosen")
    done = in_namespace(sys.executable, "-W", "ignore", "-c", REUSED)
    assert "None\n" == done.stdout, done.stderr

"""``ssd.Child``: a started program that stays the caller's child."""

import fcntl
import os
import signal
import threading
from pathlib import Path

import pytest
from kit.children import PATIENCE, SLEEP, python, until_readable
from kit.leaks import nothing_left
from kit.seccomp import KERNELS, kernel

import ssd
from ssd import Command, Match
from ssd.children.child import _dropped as dropped
from ssd.children.child import reap_dropped
from ssd.children.spawning import Spawned


def test_child_stays_the_callers(tmp_path: Path) -> None:
    """Its pidfd is readable at its end, and waiting for it tells how it ended."""
    with nothing_left():
        process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        assert isinstance(process, ssd.Child)
        assert [process] == ssd.find(Match(pid=process.pid, ppid=os.getpid()))
        process.signal(signal.SIGTERM)
        until_readable(process.fileno())
        assert (-signal.SIGTERM, -signal.SIGTERM) == (process.wait(), process.wait())
        with pytest.raises(ProcessLookupError):
            process.signal(0)
        process.close()
        process.close()
        assert -1 == process.fileno()


def test_threads_that_wait_for_one_child_all_get_its_status(tmp_path: Path) -> None:
    """One of them reaps it, whichever, and none is told that there is no such child."""
    found: list[int] = []

    def wait(child: ssd.Child) -> None:
        found.append(child.wait())

    for _ in range(20):
        process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        with process as started:
            threads = [threading.Thread(target=wait, args=(started,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            started.signal(signal.SIGTERM)
            for thread in threads:
                thread.join(PATIENCE)
    assert [-signal.SIGTERM] * 160 == found


def test_child_is_signalled_by_its_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pid may be somebody else's, where another part of the program has reaped it."""
    process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
    with process as started:
        monkeypatch.setattr(os, "kill", lambda pid, signum: pytest.fail("signalled by its pid"))
        started.signal(signal.SIGTERM)
        assert (process.pid, signal.SIGTERM) == os.waitpid(process.pid, 0)
        with pytest.raises(ProcessLookupError):
            started.signal(signal.SIGTERM)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_interrupted_start_ends_its_child_by_the_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pid may be another's by then, if the caller reaps all children elsewhere."""
    by_pid: list[int] = []
    kill = os.kill

    def interrupted(*anything: object) -> None:
        raise KeyboardInterrupt

    def noted(pid: int, signum: int) -> None:
        by_pid.append(pid)
        kill(pid, signum)

    monkeypatch.setattr(Spawned, "read", interrupted)
    monkeypatch.setattr(os, "kill", noted)
    with nothing_left(), pytest.raises(KeyboardInterrupt):
        ssd.start(Match(name="nobody"), SLEEP, background=False)
    assert [] == by_pid


LIFE = """
import sys, ssd
match = ssd.Match(pidfile=sys.argv[1])
sleep = ssd.Command(["/bin/sleep", "1000"])
child = ssd.start(match, sleep, background=False)
child.signal(9)
print(child.fileno() >= 0, child.wait())
ssd.start(match, sleep, make_pidfile=True)
print(len(ssd.stop(match)), ssd.status(match))
"""


@pytest.mark.parametrize("version", KERNELS)
def test_without_pidfds_programs_are_started_and_stopped(version: str, tmp_path: Path) -> None:
    """A child has no descriptor then, and goes by its pid."""
    done = python(LIFE, tmp_path / "pid", **kernel(version))
    assert f"{version == 'now'} -9\n1 1\n".encode() == done.stdout, done.stderr


def test_child_can_have_a_session_of_its_own(tmp_path: Path) -> None:
    """With ``new_session`` it leads one; otherwise it stays in the caller's."""
    for new in (True, False):
        match = Match(pidfile=tmp_path / "none")
        process = ssd.start(match, SLEEP, background=False, new_session=new)
        with process as started:
            try:
                # 0 where the leader of our session is outside of our pid namespace: setsid(1)
                # before unshare(1), or a container that a terminal was not given to.
                expected = process.pid if new else os.getsid(0)
                assert expected == os.getsid(process.pid)
            finally:
                started.signal(signal.SIGKILL)
                started.wait()


def test_child_gets_the_descriptors_that_it_is_given(tmp_path: Path) -> None:
    """Whatever their numbers, also those that the start itself would like to use."""
    (tmp_path / "in").write_text("hello")
    for number in (3, 4, 9, 10, 11, 12, 40):
        source = os.open(tmp_path / "in", os.O_RDONLY)
        with open(tmp_path / "out", "wb") as file:
            spare = fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, number)
            os.close(source)
            stdio = (spare, file.fileno(), 2)
            cat = Command(["/bin/cat"])
            match = Match(pidfile=tmp_path / "none")
            process = ssd.start(match, cat, background=False, stdio=stdio)
            os.close(spare)
        with process as started:
            assert (0, b"hello") == (started.wait(), (tmp_path / "out").read_bytes())


def drop_one(tmp_path: Path) -> int:
    """Start a child and drop it, which warns; return its pid."""
    child = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
    pid = child.pid
    with pytest.warns(ResourceWarning, match=f"pid={pid}, .* was dropped and not waited for"):
        del child
    return pid


def test_dropped_child_that_has_ended_is_reaped(tmp_path: Path) -> None:
    """As by subprocess.Popen: neither a zombie nor a descriptor is left, and a warning says so."""
    with nothing_left():
        child = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        pid = child.pid
        os.kill(pid, signal.SIGTERM)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with pytest.warns(ResourceWarning, match="not waited for"):
            del child
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_dropped_child_that_runs_is_reaped_by_a_later_start(tmp_path: Path) -> None:
    """It lives on until it ends; a start looks after those that have."""
    with nothing_left():
        pid = drop_one(tmp_path)
        assert ssd.find(Match(pid=pid))
        os.kill(pid, signal.SIGTERM)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with ssd.start(Match(pidfile=tmp_path / "none"), Command(["/bin/true"]),
                       background=False) as other:  # fmt: skip
            assert 0 == other.wait()
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_dropped_child_may_be_reaped_by_its_pid(tmp_path: Path) -> None:
    """By whoever kept that; a later start then forgets it."""
    with nothing_left():
        pid = drop_one(tmp_path)
        os.kill(pid, signal.SIGTERM)
        assert (pid, signal.SIGTERM) == os.waitpid(pid, 0)
        reap_dropped()
        assert [] == dropped


@pytest.mark.parametrize("closed", [False, True])
def test_child_that_was_waited_for_or_closed_is_dropped_in_silence(
    closed: bool, tmp_path: Path
) -> None:
    """Its descriptor is closed with it."""
    with nothing_left():
        child = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        pid = child.pid
        child.signal(signal.SIGTERM)
        (child.close if closed else child.wait)()
        del child
        if closed:
            assert (pid, signal.SIGTERM) == os.waitpid(pid, 0)

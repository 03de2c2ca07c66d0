"""``ssd.Child``: a started program that stays the caller's child, and waits for it."""

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from kit.children import SLEEP, WAIT_TIMEOUT, library_child, python, shell, until_readable
from kit.leaks import nothing_left
from kit.seccomp import KERNELS, kernel

import ssd
from ssd import Command, Match
from ssd.children.child import _dropped as dropped
from ssd.children.child import reap_dropped
from ssd.children.spawning import Spawned


def test_child_stays_the_callers(tmp_path: Path) -> None:
    """Its pidfd is readable at its end, and a wait returns how it ended."""
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
    """One of them reaps it; none gets ChildProcessError."""
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
                thread.join(WAIT_TIMEOUT)
    assert [-signal.SIGTERM] * 160 == found


def test_child_is_signalled_by_its_pidfd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pid may belong to another process, if another part of the program has reaped it."""
    process = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
    with process as started:
        monkeypatch.setattr(os, "kill", lambda pid, signum: pytest.fail("signalled by its pid"))
        started.signal(signal.SIGTERM)
        assert (process.pid, signal.SIGTERM) == os.waitpid(process.pid, 0)
        with pytest.raises(ProcessLookupError):
            started.signal(signal.SIGTERM)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_interrupted_start_ends_its_child_by_the_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have the pid by then, if the caller reaps its children elsewhere."""
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
def test_programs_are_started_and_stopped_without_pidfds(version: str, tmp_path: Path) -> None:
    """A child has no descriptor then, and is known by its pid."""
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
                # before unshare(1), or a container without a terminal.
                expected = process.pid if new else os.getsid(0)
                assert expected == os.getsid(process.pid)
            finally:
                started.signal(signal.SIGKILL)
                started.wait()


def test_child_gets_the_descriptors_that_it_is_given(tmp_path: Path) -> None:
    """With any numbers, also those that the start itself would use."""
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
    """As with subprocess.Popen, no zombie and no descriptor is left, and there is a warning."""
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
    """It continues; the first start after its end reaps it."""
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
    """Other code may do that; a later start then forgets it."""
    with nothing_left():
        pid = drop_one(tmp_path)
        os.kill(pid, signal.SIGTERM)
        assert (pid, signal.SIGTERM) == os.waitpid(pid, 0)
        reap_dropped()
        assert [] == dropped


@pytest.mark.parametrize("closed", [False, True])
def test_child_that_was_reaped_or_closed_is_dropped_silently(closed: bool, tmp_path: Path) -> None:
    """Its descriptor is closed with it."""
    with nothing_left():
        child = ssd.start(Match(pidfile=tmp_path / "none"), SLEEP, background=False)
        pid = child.pid
        child.signal(signal.SIGTERM)
        (child.close if closed else child.wait)()
        del child
        if closed:
            assert (pid, signal.SIGTERM) == os.waitpid(pid, 0)


@pytest.fixture
def sleeper() -> Iterator[ssd.Child]:
    """Return a child that lives until it is signalled; end and reap it."""
    with nothing_left(), library_child() as process:
        yield process
        if process.poll() is None:
            process.signal(signal.SIGKILL)
        process.wait()


# For a time -----------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, 0.01])
def test_wait_ends_with_its_time(sleeper: ssd.Child, timeout: float) -> None:
    """The built-in TimeoutError names the child and the time; the child lives on."""
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match=rf"pid={sleeper.pid}.* still runs after {timeout:g} s"):
        sleeper.wait(timeout)
    assert max(timeout, 0) <= time.monotonic() - begin < WAIT_TIMEOUT
    assert (None, False) == (sleeper.poll(), sleeper.ended())


def test_wait_ends_with_its_child() -> None:
    """Long before its time; later calls return the same status."""
    with nothing_left(), library_child(shell("exit 7")) as process:
        assert 7 == process.wait(timeout=WAIT_TIMEOUT)
        assert (7, 7, 7, True) == (
            process.wait(0), process.wait(), process.poll(), process.ended(),
        )  # fmt: skip


def test_child_that_has_ended_is_reaped_by_a_look() -> None:
    """As with subprocess.Popen.poll."""
    with nothing_left(), library_child(shell("kill -9 $$")) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.ended()
        assert -signal.SIGKILL == process.poll()
        with pytest.raises(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def test_waiting_thread_hinders_no_other_thread(sleeper: ssd.Child) -> None:
    """While one waits without a limit, others poll, wait for a time, and send signals."""
    waiting, found = threading.Event(), []

    def wait() -> None:
        waiting.set()
        found.append(sleeper.wait())

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(WAIT_TIMEOUT)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            sleeper.wait(0.001)
        assert sleeper.poll() is None
    sleeper.signal(signal.SIGTERM)
    thread.join(WAIT_TIMEOUT)
    assert [-signal.SIGTERM] == found


WAITING = """
import sys, time, ssd
def library_child(script):
    return ssd.start(ssd.Match(name="none"), ssd.Command(["/bin/sh", "-c", script]),
                     background=False)
with library_child("exit 3") as short, library_child("exec sleep 1000") as long:
    try:
        long.wait(0.05)
    except TimeoutError:
        print(short.wait(300), long.poll(), long.ended())
    table = ssd.default_table()
    table.wait([long], table.now())
    long.signal(9)
    table.wait([long], None)
    print(long.ended(), long.wait())
"""


@pytest.mark.parametrize("version", KERNELS)
def test_waits_do_without_pidfds(version: str) -> None:
    """They poll the pid instead."""
    done = python(WAITING, **kernel(version))
    assert b"3 None False\nTrue -9\n" == done.stdout, done.stderr


# On a table -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
def test_table_waits_for_a_child(kind: str, sleeper: ssd.Child) -> None:
    """It waits for several at once, as for its own handles; the child must still be reaped."""
    table = ssd.table_named(kind)
    with library_child(shell("exit 5")) as short:
        table.wait([sleeper, short], None)
        assert (True, False) == (short.ended(), sleeper.ended())
        assert 5 == short.wait()
    begin = table.now()
    table.wait([sleeper], begin + 0.01)
    assert table.now() >= begin + 0.01


# Beside other reapers -------------------------------------------------------------------

REUSED = """
import os, signal, ssd, subprocess, sys
def library_child(script):
    return ssd.start(ssd.Match(name="none"), ssd.Command(["/bin/sh", "-c", script]),
                     background=False)
def again(pid):  # a child that has the pid
    while True:
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write(str(pid - 1))
        made = subprocess.Popen(["/bin/sh", "-c", "exit 42"])
        if made.pid == pid:
            return made
        made.wait()
def raises(call):
    try:
        return call()
    except ChildProcessError:
        return "no child of ours"
for ask in (ssd.Child.wait, ssd.Child.poll, lambda child: child.wait(1), ssd.Child.__del__):
    mine = library_child("exit 7")
    os.waitpid(mine.pid, 0)
    other = again(mine.pid)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    print(raises(lambda: ask(mine)), other.wait())
    mine.close()
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
@pytest.mark.skipif(not hasattr(os, "P_PIDFD"), reason="the system cannot wait by pidfd")
def test_next_owner_of_a_childs_pid_is_not_reaped(in_namespace: Run) -> None:
    """Another part of the program has reaped the child, and another child has its pid."""
    if not Path("/proc/sys/kernel/ns_last_pid").exists():
        pytest.skip("the kernel does not let the next pid be chosen")
    done = in_namespace(sys.executable, "-W", "ignore::ResourceWarning", "-c", REUSED)
    assert ["no child of ours 42"] * 3 + ["None 42"] == done.stdout.splitlines(), done.stderr

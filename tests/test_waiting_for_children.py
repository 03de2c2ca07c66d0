"""Waits for a child: for a time, in threads, on a table, in a loop, and beside other reapers."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from kit.children import PATIENCE, SLEEP, python, shell
from kit.leaks import nothing_left
from kit.libc import Watch
from kit.locks import take
from kit.seccomp import KERNELS, kernel

import ssd
from ssd import Command, Match, children
from ssd import aio as loops

NOBODY = Match(name="no such process")


def child(command: Command = SLEEP) -> ssd.Child:
    """Start a child."""
    process = ssd.start(NOBODY, command, background=False)
    assert isinstance(process, ssd.Child)
    return process


@pytest.fixture
def sleeper() -> Iterator[ssd.Child]:
    """Return a child that lives until it is signalled; end and reap it."""
    with nothing_left(), child() as process:
        yield process
        if process.poll() is None:
            process.signal(signal.SIGKILL)
        process.wait()


# For a time -----------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [-1, 0, 0.01])
def test_wait_ends_with_its_time(sleeper: ssd.Child, timeout: float) -> None:
    """The built-in TimeoutError says who and how long; the child lives on."""
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match=rf"pid={sleeper.pid}.* still runs after {timeout:g} s"):
        sleeper.wait(timeout)
    assert max(timeout, 0) <= time.monotonic() - begin < PATIENCE
    assert (None, False) == (sleeper.poll(), sleeper.ended())


def test_wait_ends_with_its_child() -> None:
    """Long before its time; asked again, all say the same."""
    with nothing_left(), child(shell("exit 7")) as process:
        assert 7 == process.wait(timeout=PATIENCE)
        assert (7, 7, 7, True) == (
            process.wait(0), process.wait(), process.poll(), process.ended(),
        )  # fmt: skip


def test_child_that_has_ended_is_reaped_by_a_look() -> None:
    """As by subprocess.Popen.poll."""
    with nothing_left(), child(shell("kill -9 $$")) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.ended()
        assert -signal.SIGKILL == process.poll()
        with pytest.raises(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def test_thread_that_waits_is_in_nobodys_way(sleeper: ssd.Child) -> None:
    """While one waits without a limit, others ask, wait for a time, and send signals."""
    waiting, found = threading.Event(), []

    def wait() -> None:
        waiting.set()
        found.append(sleeper.wait())

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait(PATIENCE)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            sleeper.wait(0.001)
        assert sleeper.poll() is None
    sleeper.signal(signal.SIGTERM)
    thread.join(PATIENCE)
    assert [-signal.SIGTERM] == found


WAITING = """
import sys, time, ssd
def child(script):
    return ssd.start(ssd.Match(name="none"), ssd.Command(["/bin/sh", "-c", script]),
                     background=False)
with child("exit 3") as short, child("exec sleep 1000") as long:
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
    """By the pid, then, and by looking again."""
    done = python(WAITING, **kernel(version))
    assert b"3 None False\nTrue -9\n" == done.stdout, done.stderr


# On a table -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
def test_table_waits_for_a_child(kind: str, sleeper: ssd.Child) -> None:
    """Among others, as for anything that it has opened; the child is still to be reaped."""
    table = ssd.table_named(kind)
    with child(shell("exit 5")) as short:
        table.wait([sleeper, short], None)
        assert (True, False) == (short.ended(), sleeper.ended())
        assert 5 == short.wait()
    begin = table.now()
    table.wait([sleeper], begin + 0.01)
    assert table.now() >= begin + 0.01


# In a loop ------------------------------------------------------------------------------


def test_loop_waits_for_many_children_side_by_side() -> None:
    """Any number of tasks for each, and a task of one's own goes on."""

    async def main() -> None:
        short, long = child(shell("exit 3")), child()
        with short, long:
            waits = [asyncio.create_task(loops.wait(each)) for each in (short, long, long, short)]
            assert (3, 3) == (await waits[0], await waits[3])
            with pytest.raises(TimeoutError):
                await loops.wait(long, timeout=0.01)
            waits[1].cancel()
            await asyncio.wait([waits[1]])
            assert not waits[2].done()
            long.signal(signal.SIGTERM)
            assert -signal.SIGTERM == await waits[2]

    with nothing_left():
        asyncio.run(main())


def test_loop_waits_for_a_child_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """By looking again and again."""

    async def main(process: ssd.Child) -> None:
        with pytest.raises(TimeoutError):
            await loops.wait(process, 0.03)
        process.signal(signal.SIGTERM)
        assert -signal.SIGTERM == await loops.wait(process, PATIENCE)

    monkeypatch.delattr(os, "pidfd_open")
    with child() as process:
        assert -1 == process.fileno()
        asyncio.run(main(process))


@pytest.mark.parametrize("nice", [0, 1], ids=["direct", "helped"])
def test_cancelled_start_leaves_no_child(nice: int, tmp_path: Path) -> None:
    """It is given up at once, though it waits for a lock that nobody lets go of."""
    command = Command(["/bin/sleep", "1000"], nice=nice)

    async def main() -> None:
        match = Match(pidfile=tmp_path / "pid")
        starting = asyncio.create_task(loops.start(match, command, background=False))
        with Watch(Path(lock.path).parent, Watch.OPEN) as watch:
            await asyncio.to_thread(watch.until, Path(lock.path).name)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    lock = take(tmp_path / "pid")
    with nothing_left():
        asyncio.run(main())  # which waits for its threads
        assert [] == ssd.find(Match(ppid=os.getpid(), name="sleep"))
    lock.release()


def test_start_that_is_cancelled_when_its_child_is_there_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread has returned it, and the task has not got it yet."""
    started: list[ssd.Child] = []
    real = children.begin

    def begin(*arguments: object) -> ssd.Process:
        started.append(real(*arguments))  # type: ignore[arg-type]
        return started[0]

    async def main() -> None:
        starting = asyncio.create_task(loops.start(NOBODY, SLEEP, background=False))
        await asyncio.sleep(0)
        while not started or not starting._fut_waiter:  # type: ignore[attr-defined]
            time.sleep(0.001)  # the loop does not go on
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert (-1, -signal.SIGKILL) == (started[0].fileno(), started[0].status)

    monkeypatch.setattr(children, "begin", begin)
    with nothing_left():
        asyncio.run(main())


# Beside other reapers -------------------------------------------------------------------

REUSED = """
import os, signal, ssd, subprocess, sys
def child(script):
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
    mine = child("exit 7")
    os.waitpid(mine.pid, 0)
    other = again(mine.pid)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    print(raises(lambda: ask(mine)), other.wait())
    mine.close()
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
@pytest.mark.skipif(not hasattr(os, "P_PIDFD"), reason="there is no waiting by pidfd")
def test_next_owner_of_a_childs_pid_is_not_reaped(in_namespace: Run) -> None:
    """Another part of the program has reaped the child, and another child has its pid."""
    if not Path("/proc/sys/kernel/ns_last_pid").exists():
        pytest.skip("the kernel does not let the next pid be chosen")
    done = in_namespace(sys.executable, "-W", "ignore::ResourceWarning", "-c", REUSED)
    assert ["no child of ours 42"] * 3 + ["None 42"] == done.stdout.splitlines(), done.stderr

"""``ssd.aio``: starts, and waits for children, in an asyncio loop."""

import asyncio
import importlib
import os
import signal
import time
from pathlib import Path

import pytest
from kit.children import NOBODY, SLEEP, WAIT_TIMEOUT, library_child, shell
from kit.leaks import nothing_left
from kit.libc import Watch
from kit.locks import take

import ssd
from ssd import Command, Match, aio, children


def test_start_runs_in_a_thread_of_the_loop(tmp_path: Path) -> None:
    """The loop continues meanwhile: it releases the lock that the start waits for."""
    match = Match(pidfile=tmp_path / "pid")

    async def main() -> ssd.Process:
        lock = take(tmp_path / "pid")
        starting = asyncio.create_task(aio.start(match, SLEEP, make_pidfile=True))
        with Watch(Path(lock.path).parent, Watch.OPEN) as watch:
            await asyncio.to_thread(watch.until, Path(lock.path).name)
        assert not starting.done()
        lock.release()
        return await starting

    process = asyncio.run(main())
    assert [process] == ssd.stop(match)


def test_start_takes_what_ssd_start_takes(tmp_path: Path) -> None:
    """A child with its descriptors; a failure is raised."""

    async def main() -> None:
        match = Match(pidfile=tmp_path / "none")
        with open(tmp_path / "out", "wb") as out:
            say = Command(["/bin/echo", "hello"])
            child = await aio.start(
                match, say, background=False, stdio=(0, out.fileno(), 2), new_session=True
            )
        assert isinstance(child, ssd.Child)
        with child:
            assert (0, b"hello\n") == (child.wait(), (tmp_path / "out").read_bytes())
        with pytest.raises(ssd.StartFailed):
            await aio.start(match, Command(["/no/such"]))

    asyncio.run(main())


def test_loop_waits_for_many_children_side_by_side() -> None:
    """Any number of tasks may wait for each, and other tasks continue."""

    async def main() -> None:
        short, long = library_child(shell("exit 3")), library_child()
        with short, long:
            waits = [asyncio.create_task(aio.wait(each)) for each in (short, long, long, short)]
            assert (3, 3) == (await waits[0], await waits[3])
            with pytest.raises(TimeoutError):
                await aio.wait(long, timeout=0.01)
            waits[1].cancel()
            await asyncio.wait([waits[1]])
            assert not waits[2].done()
            long.signal(signal.SIGTERM)
            assert -signal.SIGTERM == await waits[2]

    with nothing_left():
        asyncio.run(main())


def test_loop_waits_for_a_child_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """By polling."""

    async def main(process: ssd.Child) -> None:
        with pytest.raises(TimeoutError):
            await aio.wait(process, 0.03)
        process.signal(signal.SIGTERM)
        assert -signal.SIGTERM == await aio.wait(process, WAIT_TIMEOUT)

    monkeypatch.delattr(os, "pidfd_open")
    with library_child() as process:
        assert -1 == process.fileno()
        asyncio.run(main(process))


@pytest.mark.parametrize("nice", [0, 1], ids=["direct", "helped"])
def test_cancelled_start_leaves_no_child(nice: int, tmp_path: Path) -> None:
    """It is given up at once, though it waits for a lock that is held."""
    command = Command(["/bin/sleep", "1000"], nice=nice)

    async def main() -> None:
        match = Match(pidfile=tmp_path / "pid")
        starting = asyncio.create_task(aio.start(match, command, background=False))
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


def test_cancelled_start_ends_a_child_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread has returned it, but the task does not have it yet."""
    started: list[ssd.Child] = []
    real = children.begin

    def begin(*arguments: object) -> ssd.Process:
        started.append(real(*arguments))  # type: ignore[arg-type]
        return started[0]

    async def main() -> None:
        starting = asyncio.create_task(aio.start(NOBODY, SLEEP, background=False))
        await asyncio.sleep(0)
        while not started or not starting._fut_waiter:  # type: ignore[attr-defined]
            time.sleep(0.001)  # blocks the loop
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert (-1, -signal.SIGKILL) == (started[0].fileno(), started[0].status)

    monkeypatch.setattr(children, "begin", begin)
    with nothing_left():
        asyncio.run(main())


def test_earlier_name_is_the_same_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ssd.loops`` has the same functions, and a patch of it reaches ``ssd.aio``."""
    from ssd import loops as earlier

    assert earlier is aio is importlib.import_module("ssd.loops")
    monkeypatch.setattr("ssd.loops.stop", print)
    assert aio.stop is print

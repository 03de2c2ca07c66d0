"""Stops of real children, in each kind of loop; their cost is in test_waiting.py."""

import asyncio
import select
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child, stubborn
from kit.leaks import nothing_left, same_descriptors

import ssd
from ssd import aio
from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.stopping import Stop
from ssd.testing import Daemons

TABLES = ["kernel", "psutil"]


@pytest.mark.parametrize("kind", TABLES)
def test_child_that_ends_by_term_is_stopped(kind: str, daemon: Daemons) -> None:
    """It is waited for, though not reaped: a zombie is dead."""
    process = daemon()
    with same_descriptors():
        stopped = ssd.stop(Match(pid=process.pid), "TERM/60/KILL/5", table=ssd.table_named(kind))
    assert ([process.pid], 0) == ([each.pid for each in stopped], process.wait(WAIT_TIMEOUT))


@pytest.mark.parametrize("kind", TABLES)
def test_child_that_ignores_term_is_killed(kind: str) -> None:
    """The KILL comes when the wait is over."""
    with stubborn() as process:
        ssd.stop(Match(pid=process.pid), "TERM/0/KILL/30", table=ssd.table_named(kind))
        assert -signal.SIGKILL == process.wait(WAIT_TIMEOUT)


def test_child_that_outlives_the_schedule_is_reported() -> None:
    """NotStopped carries the process, which still runs."""
    with stubborn() as process, pytest.raises(ssd.NotStopped) as caught:
        try:
            ssd.stop(Match(pid=process.pid), "TERM/0")
        finally:
            assert process.poll() is None
    assert [process.pid] == [each.pid for each in caught.value.processes]


def test_stop_runs_in_any_thread() -> None:
    """It uses no signal handler, no alarm and no global state."""
    results: list[list[ssd.Process]] = []
    with child() as process, same_descriptors():
        stop = lambda: results.append(ssd.stop(Match(pid=process.pid)))  # noqa: E731
        thread = threading.Thread(target=stop)
        thread.start()
        thread.join(WAIT_TIMEOUT)
        assert -signal.SIGTERM == process.wait(WAIT_TIMEOUT)
    assert [[process.pid]] == [[each.pid for each in result] for result in results]


def test_thread_stops_several_at_once() -> None:
    """Fifty children end together; every descriptor is closed again."""
    with ExitStack() as stack:
        children = [stack.enter_context(child()) for _ in range(50)]
        results = ssd.stop_all([Match(pid=each.pid) for each in children])
        assert [[each.pid] for each in children] == [[p.pid for p in each] for each in results]
        assert {-signal.SIGTERM} == {each.wait(WAIT_TIMEOUT) for each in children}
    with nothing_left():
        assert [[]] == ssd.stop_all([Match(pid=children[0].pid)])


def test_asyncio_loop_stops_many_at_once() -> None:
    """The loop continues other work, and its readers are removed at the end."""

    async def main(matches: list[Match]) -> tuple[list[list[ssd.Process]], int]:
        turns = 0

        async def other_work() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        busy = asyncio.ensure_future(other_work())
        results = await aio.stop_all(matches, "TERM/60/KILL/5")
        busy.cancel()
        return results, turns

    with ExitStack() as stack:
        children = [stack.enter_context(child()) for _ in range(50)]
        results, turns = asyncio.run(main([Match(pid=each.pid) for each in children]))
        assert [[each.pid] for each in children] == [[p.pid for p in each] for each in results]
        assert {-signal.SIGTERM} == {each.wait(WAIT_TIMEOUT) for each in children}
    assert turns > 1


def test_asyncio_stop_kills_at_the_end_of_its_wait() -> None:
    """It waits for a time as well as for descriptors."""
    with stubborn() as process:
        asyncio.run(aio.stop(Match(pid=process.pid), "TERM/0/KILL/30"))
        assert -signal.SIGKILL == process.wait(WAIT_TIMEOUT)


def test_cancelled_asyncio_stop_lets_go() -> None:
    """The child lives on, and no descriptor stays open."""

    async def main(match: Match) -> None:
        task = asyncio.ensure_future(aio.stop(match, "TERM/1000"))
        while not task.done():
            await asyncio.sleep(0)
            task.cancel()
        assert task.cancelled()

    with stubborn() as process, same_descriptors():
        asyncio.run(main(Match(pid=process.pid)))
        assert process.poll() is None


def test_failure_in_an_asyncio_loop_does_not_delay_the_others(tmp_path: Path) -> None:
    """All are tried, then it raises."""
    (tmp_path / "pid").write_text("1\n")
    (tmp_path / "pid").chmod(0o666)
    with stubborn() as process, same_descriptors():
        matches = [Match(pidfile=tmp_path / "pid"), Match(pid=process.pid)]
        with pytest.raises(ssd.PidfileUnsafe):
            asyncio.run(aio.stop_all(matches, "TERM/0/KILL/30"))
        assert -signal.SIGKILL == process.wait(WAIT_TIMEOUT)


def test_any_loop_can_drive_a_stop() -> None:
    """It needs only a wait for descriptors with a time."""
    with child() as process, Stop(Match(pid=process.pid), Schedule.parse("TERM/60")) as work:
        while not work.advance():
            poll = select.poll()
            for handle in work.handles:
                poll.register(handle.fileno(), select.POLLIN)
            assert work.until is not None
            assert poll.poll(1000 * (work.until - work.table.now()))
        assert ("stopped", [process.pid]) == (work.outcome, [p.pid for p in work.signalled])

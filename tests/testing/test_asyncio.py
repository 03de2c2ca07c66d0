"""Declared processes among the tasks of an asyncio loop."""

import asyncio
import signal
from pathlib import Path

import pytest

import ssd
from ssd import Command, Match
from ssd import aio as loops
from ssd.testing import FakeProcesses, WaitsForEver, dies, ignores

TERM, KILL = signal.SIGTERM, signal.SIGKILL


def stops(table: FakeProcesses, names: list[str], schedule: str) -> list[asyncio.Task]:
    """Begin a stop for each name."""
    return [
        asyncio.create_task(loops.stop(Match(name=name), schedule, table=table)) for name in names
    ]


@pytest.mark.asyncio
async def test_stop_takes_the_time_of_its_process(fake_processes: FakeProcesses) -> None:
    """The loop is never blocked for real seconds."""
    process = fake_processes.add("d", reactions={TERM: dies(after=20)})
    assert [process.identity] == await loops.stop(Match(name="d"), table=fake_processes)
    assert 20 == fake_processes.now()


@pytest.mark.asyncio
async def test_many_stops_side_by_side_each_follow_their_own_time(
    fake_processes: FakeProcesses,
) -> None:
    """Time jumps to the next event of any of them, and skips none."""
    for number in range(20):
        fake_processes.add(f"d{number}", reactions={TERM: dies(after=number)})
    names = [f"d{number}" for number in range(20)]
    await asyncio.gather(
        *stops(fake_processes, names[:10], "TERM/5/KILL/5"),
        *stops(fake_processes, names[10:], "TERM/15/KILL/5"),
    )
    assert [(5, KILL)] * 4 + [(15, KILL)] * 4 == [
        (each.time, each.signum) for each in fake_processes.signals if each.signum == KILL
    ]


@pytest.mark.asyncio
async def test_tasks_that_come_later_wait_from_then_on(fake_processes: FakeProcesses) -> None:
    """A task can stop several daemons one after the other, beside other tasks."""
    for name in "abc":
        fake_processes.add(name, reactions={TERM: dies(after=3)})

    async def one_after_the_other() -> float:
        for name in "ab":
            await loops.stop(Match(name=name), table=fake_processes)
        return fake_processes.now()

    other = stops(fake_processes, ["c"], "TERM/30")
    assert 6 == await one_after_the_other()
    await asyncio.gather(*other)


@pytest.mark.asyncio
async def test_loop_goes_on_meanwhile(fake_processes: FakeProcesses) -> None:
    """Other tasks run while a stop waits."""
    fake_processes.add("d", reactions={TERM: dies(after=1000)})
    turns = []

    async def tick() -> None:
        while True:
            turns.append(fake_processes.now())
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    await loops.stop(Match(name="d"), "TERM/1000", table=fake_processes)
    ticking.cancel()
    assert 0 == turns[5]


@pytest.mark.asyncio
async def test_wait_that_would_hang_raises_in_its_task(fake_processes: FakeProcesses) -> None:
    """No event is to come that would wake it."""
    with fake_processes.open(fake_processes.add("calm").identity) as handle:
        with pytest.raises(WaitsForEver, match="101"):
            await fake_processes.wait_async([handle], None)
        with pytest.raises(ValueError, match="nothing to wait for"):
            await fake_processes.wait_async([], None)


@pytest.mark.asyncio
async def test_error_of_an_event_reaches_the_waiting_tasks(fake_processes: FakeProcesses) -> None:
    """An error in an event of the test does not hang the loop."""
    fake_processes.clock.at(3, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await fake_processes.wait_async([], 5)
    await fake_processes.wait_async([], 7)
    assert 7 == fake_processes.now()


@pytest.mark.asyncio
async def test_cancelled_stop_leaves_no_wait_behind(fake_processes: FakeProcesses) -> None:
    """The other tasks continue with their own times."""
    fake_processes.add("d", reactions={TERM: ignores()})
    (stop,) = stops(fake_processes, ["d"], "TERM/5/KILL/5")
    while not fake_processes.signals:
        await asyncio.sleep(0)
    stop.cancel()
    await asyncio.gather(stop, return_exceptions=True)
    await fake_processes.wait_async([], 50)
    assert [TERM] == [each.signum for each in fake_processes.signals]


@pytest.mark.asyncio
async def test_start_in_a_thread_is_the_loops_as_usual(
    fake_processes: FakeProcesses, pidfile: Path
) -> None:
    """As the tutorial does with real children."""
    fake_processes.register("/usr/sbin/webd")
    match, command = Match(pidfile=pidfile), Command(["/usr/sbin/webd"])
    process = await asyncio.to_thread(
        ssd.start, match, command, make_pidfile=True, table=fake_processes
    )
    assert [process] == await loops.stop(match, table=fake_processes)


@pytest.mark.asyncio
async def test_starts_and_stops_side_by_side_take_their_own_time(
    fake_processes: FakeProcesses, tmp_path: Path
) -> None:
    """Ten workers, restarted two at a time: each takes 20 s to end, and 2 s to be ready."""
    reactions = {TERM: dies(after=20)}
    fake_processes.register("/usr/bin/worker", reactions=reactions, ready_after=2)
    command, gate = Command(["/usr/bin/worker"]), asyncio.Semaphore(2)
    matches = [Match(pidfile=tmp_path / f"{number}.pid") for number in range(10)]
    await asyncio.gather(*(begin(match, command, fake_processes) for match in matches))
    assert 2 == fake_processes.now()

    async def restart(match: Match) -> None:
        async with gate:
            await loops.stop(match, table=fake_processes)
            await begin(match, command, fake_processes)

    await asyncio.gather(*map(restart, matches))
    assert (2 + 5 * 22, 20) == (fake_processes.now(), len(fake_processes.started))
    assert [0] * 10 == [ssd.status(match, table=fake_processes) for match in matches]


async def begin(match: Match, command: Command, table: FakeProcesses) -> ssd.Process:
    """Await a start until the program is ready."""
    return await loops.start(match, command, make_pidfile=True, notify_timeout=5, table=table)


@pytest.mark.asyncio
async def test_start_that_is_not_ready_in_time_says_so(
    fake_processes: FakeProcesses, pidfile: Path
) -> None:
    """It ends at its own time, and no event of another task is missed."""
    fake_processes.register("/usr/bin/worker")
    fake_processes.add("d", reactions={TERM: ignores()})
    stop = asyncio.create_task(loops.stop(Match(name="d"), "TERM/3/KILL/5", table=fake_processes))
    with pytest.raises(ssd.NotReady, match="time"):
        await begin(Match(pidfile=pidfile), Command(["/usr/bin/worker"]), fake_processes)
    assert (5, [(0, TERM), (3, KILL)]) == (
        fake_processes.now(), [(each.time, each.signum) for each in fake_processes.signals],
    )  # fmt: skip
    await stop


@pytest.mark.asyncio
async def test_child_of_an_asyncio_start_is_the_callers(fake_processes: FakeProcesses) -> None:
    """As those of ssd.start; invalid arguments are refused as there."""
    fake_processes.allow_unregistered()
    match, command = Match(name="a"), Command(["/bin/a"])
    child = await loops.start(match, command, background=False, table=fake_processes)
    assert isinstance(child, ssd.Child)
    with pytest.raises(ValueError, match="background"):
        await loops.start(match, command, background=False, notify_timeout=5, table=fake_processes)


def test_table_can_serve_one_loop_after_the_other(fake_processes: FakeProcesses) -> None:
    """asyncio.run makes a new loop each time."""
    for name in "ab":
        fake_processes.add(name, reactions={TERM: dies(after=1)})
        asyncio.run(loops.stop(Match(name=name), table=fake_processes))
    assert 2 == fake_processes.now()

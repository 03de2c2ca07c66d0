"""Waits for declared children, by each call that waits for real ones."""

import asyncio
import select
import selectors
import sys

import pytest

import ssd
from ssd import Command, Match
from ssd import aio as loops
from ssd.testing import FakeChild, FakeProcesses, NoDescriptor, WaitsForEver, exits


@pytest.fixture
def child(fake_processes: FakeProcesses) -> FakeChild:
    """Return a child that ends after a minute."""
    return started(fake_processes, "x", 60)


def started(table: FakeProcesses, name: str, seconds: float) -> FakeChild:
    """Start a child that ends by itself, with status 3."""
    table.register(f"/usr/bin/{name}", runs=exits(3, after=seconds))
    found = ssd.start(
        Match(name=name), Command([f"/usr/bin/{name}"]), background=False, table=table
    )
    assert isinstance(found, FakeChild)
    return found


def test_wait_ends_with_its_time(child: FakeChild, fake_processes: FakeProcesses) -> None:
    """By the machine's clock; a second wait begins at that time."""
    with pytest.raises(TimeoutError, match="still runs after 1.5 seconds"):
        child.wait(timeout=1.5)
    assert (1.5, None, False) == (fake_processes.now(), child.poll(), child.ended())
    assert (3, 60) == (child.wait(timeout=1000), fake_processes.now())
    assert (3, 3, True) == (child.wait(0), child.poll(), child.ended())


def test_look_reaps(child: FakeChild, fake_processes: FakeProcesses) -> None:
    """As with a real child."""
    fake_processes.wait([], until=60)
    assert "zombie" == child.declared.state
    assert (3, "gone") == (child.poll(), child.declared.state)


def test_table_waits_for_a_child(child: FakeChild, fake_processes: FakeProcesses) -> None:
    """Beside handles that it has opened."""
    other = started(fake_processes, "y", 10)
    fake_processes.wait([child, other], None)
    assert (10, True, False) == (fake_processes.now(), other.ended(), child.ended())
    fake_processes.wait([child], until=20)
    assert (20, False) == (fake_processes.now(), child.ended())


ASKED = {
    "select": lambda child: select.select([child], [], [], 1),
    "poll": lambda child: select.poll().register(child),
    "selectors": lambda child: selectors.SelectSelector().register(child, selectors.EVENT_READ),
    "add_reader": lambda child: asyncio.get_running_loop().add_reader(child, print),
    "fileno": lambda child: asyncio.get_running_loop().add_reader(child.fileno(), print),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ASKED)
async def test_descriptor_is_refused_with_the_way_out(way: str, child: FakeChild) -> None:
    """With a clock that jumps there is none; the error of each caller names the calls that wait."""
    with pytest.raises(NoDescriptor, match=r"child\.wait.*table\.wait.*ssd\.aio\.wait"):
        ASKED[way](child)


# In a loop ------------------------------------------------------------------------------


async def run(table: FakeProcesses, name: str, timeout: float | None = None) -> tuple[int, float]:
    """Start a child and wait for it, as a task of a supervisor does."""
    child = await loops.start(
        Match(name=name), Command([f"/usr/bin/{name}"]), background=False, table=table
    )
    assert isinstance(child, ssd.Child)
    return await loops.wait(child, timeout), table.now()


@pytest.mark.asyncio
async def test_loop_waits_for_each_in_its_time(fake_processes: FakeProcesses) -> None:
    """Time jumps to each end, and skips none."""
    for name, seconds in (("a", 10), ("b", 20), ("c", 5)):
        fake_processes.register(f"/usr/bin/{name}", runs=exits(1, after=seconds))
    found = await asyncio.gather(*(run(fake_processes, name) for name in "abc"))
    assert [(1, 10), (1, 20), (1, 5)] == found


@pytest.mark.asyncio
async def test_loop_waits_for_a_time(fake_processes: FakeProcesses) -> None:
    """By the machine's clock; the end of another task's child is not skipped."""
    for name, seconds in (("a", 10), ("b", 20)):
        fake_processes.register(f"/usr/bin/{name}", runs=exits(1, after=seconds))
    first, second = await asyncio.gather(
        run(fake_processes, "a"), run(fake_processes, "b", 15), return_exceptions=True
    )
    assert (1, 10) == first
    assert isinstance(second, TimeoutError)
    assert 15 == fake_processes.now()


@pytest.mark.asyncio
async def test_wait_for_what_never_comes_raises(fake_processes: FakeProcesses) -> None:
    """A real loop would wait for ever."""
    fake_processes.register("/usr/bin/a")
    with pytest.raises(WaitsForEver):
        await run(fake_processes, "a")


@pytest.mark.asyncio
async def test_real_and_declared_children_are_waited_for_side_by_side(
    fake_processes: FakeProcesses,
) -> None:
    """One loop waits for both by the same call."""
    fake_processes.register("/usr/bin/a", runs=exits(1, after=3600))
    real = ssd.start(
        Match(name="none"), Command([sys.executable, "-ISc", "raise SystemExit(7)"]),
        background=False,
    )  # fmt: skip
    with real as child:  # type: ignore[attr-defined]
        assert [(1, 3600), 7] == await asyncio.gather(run(fake_processes, "a"), loops.wait(child))


@pytest.mark.asyncio
async def test_thread_beside_tasks_is_refused(fake_processes: FakeProcesses) -> None:
    """Time would jump for the tasks. A thread may wait for a child that no task has started."""
    fake_processes.register("/usr/bin/a", runs=exits(1, after=10))
    match, command = Match(name="a"), Command(["/usr/bin/a"])
    child = await loops.start(match, command, background=False, table=fake_processes)
    with pytest.raises(RuntimeError, match=r"await ssd\.aio\.wait"):
        await asyncio.to_thread(child.wait)  # type: ignore[attr-defined]
    assert 0 == fake_processes.now()
    assert 3 == await asyncio.to_thread(started(fake_processes, "x", 5).wait)

"""A supervisor in an asyncio loop, with declared and with real processes."""

import asyncio
import os
import signal
from pathlib import Path

from ssd.service import Service
from ssd.supervision import Supervisor, aio, events
from ssd.testing import dies
from supervision.machine import Machine


def test_tasks_wish_while_the_loop_runs(tmp_path: Path) -> None:
    """A wish wakes the loop that waits for processes; the clock jumps for all tasks."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.table.register("/bin/web", reactions={signal.SIGTERM: dies(after=4)})

    async def work() -> None:
        driver = asyncio.create_task(aio.run(machine.supervisor))
        await asyncio.sleep(0)
        machine.supervisor.start("web")
        while machine.supervisor.units["web"].state != "running":
            await asyncio.sleep(0)
        machine.supervisor.shutdown()
        await driver

    asyncio.run(work())
    assert ({"web": "stop/waiting"}, 4.0) == (machine.states(), machine.table.now())


def test_real_process_is_brought_back_in_a_loop(tmp_path: Path) -> None:
    """The loop waits for one descriptor, however many services there are."""
    service = Service(
        name="web", executable="/bin/sleep", arguments=["1000"], respawn={"when": "always"},
        pidfile=str(tmp_path / "p"),
    )  # fmt: skip
    supervisor = Supervisor([service])
    ready: asyncio.Queue[int] = asyncio.Queue()

    def listen(event: events.Event) -> None:
        if isinstance(event, events.Started):
            ready.put_nowait(event.pid)

    supervisor.listeners.append(listen)

    async def work() -> tuple[int, int]:
        driver = asyncio.create_task(aio.run(supervisor))
        supervisor.start("web")
        first = await ready.get()
        os.kill(first, signal.SIGKILL)
        second = await ready.get()
        supervisor.shutdown()
        await driver
        return first, second

    first, second = asyncio.run(work())
    supervisor.close()
    assert first != second


def test_cancelled_task_leaves_the_services(tmp_path: Path) -> None:
    """Another driver goes on with them."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start("web")

    async def work() -> None:
        driver = asyncio.create_task(aio.run(machine.supervisor))
        while machine.supervisor.units["web"].state != "running":
            await asyncio.sleep(0)
        driver.cancel()
        try:
            await driver
        except asyncio.CancelledError:
            assert machine.supervisor.units["web"].process is not None
        machine.supervisor.shutdown()
        await aio.run(machine.supervisor)

    asyncio.run(work())
    assert {"web": "stop/waiting"} == machine.states()


def test_follow_yields_events_beside_other_tasks(tmp_path: Path) -> None:
    """An asynchronous program iterates over what happens."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start("web")

    async def work() -> list[str]:
        kinds = []
        async for event in aio.follow(machine.supervisor):
            kinds.append(event.kind)
            if event.kind == "ready":
                machine.supervisor.shutdown()
        return kinds

    expected = ["starting", "started", "ready", "stopping", "exited", "stopped"]
    assert expected == asyncio.run(work())

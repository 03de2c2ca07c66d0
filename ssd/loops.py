"""Start and stop daemons from an asyncio loop.

A stop is the same engine as ``ssd.stop``'s with another driver.
"""

import asyncio

from ssd import children
from ssd.engine import Stop
from ssd.processes.waiting import BLIND
from ssd.schedule import Schedule
from ssd.stopping import results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ssd.launch.command import Command
    from ssd.matching import Match
    from ssd.processes.identity import Process
    from ssd.processes.types import ProcessTable


async def drive(stop: Stop) -> None:
    """Drive one stop to its end without blocking the loop; a failure stays in it."""
    while not stop.step():
        await _wait(stop)


async def start(
    match: "Match",
    command: "Command",
    *,
    background: bool = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> "Process":
    """Await a start, done in a thread of the loop's; see ``ssd.start`` for all of it.

    A start that is cancelled goes on, and what it has started runs.
    """
    launching: Callable[..., Awaitable[Process]] | None = getattr(table, "launch_async", None)
    if launching is not None:  # a time of its own: ssd.testing's
        return await launching(
            children.declared(match, command, background, make_pidfile, notify_timeout, table)
        )
    return await asyncio.to_thread(
        children.start,
        match,
        command,
        background=background,
        make_pidfile=make_pidfile,
        notify_timeout=notify_timeout,
        stdio=stdio,
        new_session=new_session,
        table=table,
    )


async def stop(
    match: "Match",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    table: "ProcessTable | None" = None,
) -> "list[Process]":
    """Await the end of what ``match`` means; see ``ssd.stop`` for all of it."""
    return (await stop_all([match], schedule, table=table))[0]


async def stop_all(
    matches: "Iterable[Match]",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    table: "ProcessTable | None" = None,
) -> "list[list[Process]]":
    """Await the end of many daemons side by side; see ``ssd.stop_all``."""
    steps = Schedule.parse(schedule) if isinstance(schedule, str) else schedule
    stops: list[Stop] = []
    try:
        for match in matches:
            stops.append(Stop(match, steps, table=table))
        await asyncio.gather(*(drive(each) for each in stops))
    finally:
        for each in stops:
            each.close()
    return results(stops)


async def _wait(stop: Stop) -> None:
    """Wait until a process of the stop has ended or its time has come."""
    waiting: Callable[..., Awaitable[None]] | None = getattr(stop.table, "wait_async", None)
    if waiting is not None:  # a time of its own: ssd.testing's
        return await waiting(stop.handles, stop.until)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    handles = stop.handles
    watched = [handle.fileno() for handle in handles if handle.fileno() >= 0]
    timeout = None if stop.until is None else max(0.0, stop.until - stop.table.now())
    if len(watched) < len(handles):
        timeout = BLIND if timeout is None else min(timeout, BLIND)
    for fd in watched:
        loop.add_reader(fd, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), timeout)
    except TimeoutError:
        pass  # its time has come: advance() decides what that means
    finally:
        for fd in watched:
            loop.remove_reader(fd)

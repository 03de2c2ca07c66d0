"""Stop daemons from an asyncio loop: the same engine as ``ssd.stop``, another driver."""

import asyncio

from ssd.engine import Stop
from ssd.schedule import Schedule
from ssd.stopping import results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ssd.matching import Match
    from ssd.processes.identity import Process
    from ssd.processes.types import ProcessTable

BLIND = 0.02  # seconds; how often to look where the system has no descriptor to wait on


async def drive(stop: Stop) -> None:
    """Drive one stop to its end without blocking the loop; a failure stays in it."""
    while not stop.step():
        await _wait(stop)


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

"""Start daemons and children, wait for children, and stop daemons, in an asyncio loop."""

import asyncio
import os
from threading import Lock
from time import monotonic
from typing import overload

from ssd import children
from ssd.children.child import STILL_RUNS, Child
from ssd.children.spawning import Spawned
from ssd.processes.waiting import POLL_INTERVAL, ready
from ssd.stopping import Stop
from ssd.stops import results
from ssd.validation import demand_table, matches_of, schedule_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal, Protocol

    from ssd.matching import Match, Process
    from ssd.processes.contract import Handle, ProcessTable
    from ssd.schedule import Schedule
    from ssd.starting.command import Command

    class Work(Protocol):
        """What a loop can drive: ``ssd.Stop``, or a Supervisor."""

        @property
        def table(self) -> "ProcessTable":
            """Where its processes are, and its clock."""

        @property
        def handles(self) -> "Sequence[Handle]":
            """What it waits for."""

        @property
        def until(self) -> float | None:
            """When it must be called at the latest."""


KILL_TIMEOUT = 1.0  # seconds for a killed child to end; the loop is blocked meanwhile


async def drive(stop: Stop) -> None:
    """Drive one stop to its end without blocking the loop; an error stays in ``failure``."""
    while not stop.step():
        await until_due(stop)


@overload
async def start(
    match: "Match",
    command: "Command",
    *,
    background: "Literal[False]",
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Child: ...


@overload
async def start(
    match: "Match",
    command: "Command",
    *,
    background: "Literal[True]" = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> "Process": ...


@overload
async def start(
    match: "Match",
    command: "Command",
    *,
    background: bool,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> "Process": ...


async def start(
    match: "Match",
    command: "Command",
    *,
    background: bool = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> "Process":
    """Start in a thread of the loop and await the result; see ``ssd.start``.

    If the task is cancelled, a child is killed and reaped, because it would have no owner. A start
    in the background continues, and the daemon runs.
    """
    demand_table(table)
    if table is not None and table.launcher is not None:  # ssd.testing, in its own time
        return await table.launcher.launch_async(
            children.declared(
                match,
                command,
                background,
                make_pidfile,
                notify_timeout,
                wait,
                stdio,
                table,
                new_session,
            )
        )
    handover = _Handover()

    def begin() -> "Process":
        return handover.give(
            children.begin(
                match,
                command,
                background,
                make_pidfile,
                notify_timeout,
                wait,
                stdio,
                new_session,
                table,
                None if background else handover.spawned,
            )
        )

    try:
        return await asyncio.to_thread(begin)
    except asyncio.CancelledError:
        handover.give_up()
        raise


async def wait(child: "Child", timeout: float | None = None) -> int:
    """Await the end of a child, reap it, and return its status; see ``ssd.Child.wait``.

    timeout: seconds to wait at most; None waits without a limit.

    Raises TimeoutError if the child still runs then; ChildProcessError if other code in this
    process has reaped it. Any number of tasks may wait for one child; a cancelled task does not
    affect the child. A child of ``ssd.testing`` is waited for in the time of its table.
    """
    if child.wait_async is not None:
        return await child.wait_async(timeout)
    until = None if timeout is None else monotonic() + timeout
    fd = os.dup(child.fileno()) if child.fileno() >= 0 else -1  # a loop watches a number only once
    try:
        while (status := child.poll()) is None:
            left = None if until is None else until - monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(STILL_RUNS.format(child, timeout))
            if fd >= 0 and ready([fd], 0):
                await asyncio.sleep(POLL_INTERVAL)  # a tracer still holds it: ptrace(2)
            else:
                await _readable([fd], left)
    finally:
        if fd >= 0:
            os.close(fd)
    return status


async def stop(
    match: "Match",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    tree: bool = False,
    table: "ProcessTable | None" = None,
) -> "list[Process]":
    """Stop the processes that match and await their end; see ``ssd.stop``."""
    return (await stop_all([match], schedule, tree=tree, table=table))[0]


async def stop_all(
    matches: "Iterable[Match]",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    tree: bool = False,
    table: "ProcessTable | None" = None,
) -> "list[list[Process]]":
    """Stop many daemons side by side and await their end; see ``ssd.stop_all``."""
    steps = schedule_of(schedule)
    stops: list[Stop] = []
    try:
        for match in matches_of(matches):
            stops.append(Stop(match, steps, tree=tree, table=table))
        await asyncio.gather(*(drive(each) for each in stops))
    finally:
        for each in stops:
            each.close()
    return results(stops)


async def until_due(stop: "Work") -> None:
    """Return when a process of the work has ended or its time has come."""
    if stop.table.launcher is not None:  # ssd.testing, in its own time
        return await stop.table.launcher.wait_async(stop.handles, stop.until)
    left = None if stop.until is None else max(0.0, stop.until - stop.table.now())
    await _readable([handle.fileno() for handle in stop.handles], left)


async def _readable(fds: "Sequence[int]", seconds: float | None) -> None:
    """Return when a descriptor is readable or the time is up; after POLL_INTERVAL if one is -1."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    watched = [fd for fd in fds if fd >= 0]
    if len(watched) < len(fds):
        seconds = POLL_INTERVAL if seconds is None else min(seconds, POLL_INTERVAL)
    for fd in watched:
        loop.add_reader(fd, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        pass  # the time is up: the caller decides what that means
    finally:
        for fd in watched:
            loop.remove_reader(fd)


class _Handover:
    """Hands a child over from the thread that starts it; ends it if the task was cancelled.

    The loop between the two forgets what a thread returns to a cancelled task.
    """

    def __init__(self) -> None:
        self.spawned = Spawned()
        self._lock = Lock()
        self._given: Child | None = None
        self._wanted = True

    def give(self, process: "Process") -> "Process":
        """Hand over the started process; called in the thread that started it."""
        if isinstance(process, Child):
            with self._lock:
                self._given = process
                wanted = self._wanted
            if not wanted:
                _end(process)
        return process

    def give_up(self) -> None:
        """End the child, whether it has started already or starts later."""
        with self._lock:
            self._wanted = False
            given = self._given
        self.spawned.give_up()
        if given is not None:
            _end(given)


def _end(child: "Child") -> None:
    """Kill a child, reap it, and close its descriptor."""
    try:
        child.signal(9)
        child.wait(KILL_TIMEOUT)
        child.close()
    except (ProcessLookupError, ChildProcessError):
        child.close()  # other code has reaped it
    except TimeoutError:
        return  # it hangs in the kernel (a dead disk): reaped later, like a dropped child

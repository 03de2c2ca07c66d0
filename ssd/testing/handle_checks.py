"""Checks of how a table holds processes, signals them and waits; each rule is a docstring."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ssd import aio, children
from ssd.errors import AlreadyRunning
from ssd.matching import Criteria, Match
from ssd.processes.hidden import may_be
from ssd.starting.command import Command
from ssd.testing.expectations import World, expect, expect_error, hider, identity


def handle_outlives_its_process(world: World) -> None:
    """A handle reports the end, also after the zombie is reaped, and then signals no process."""
    table, pid = world.table, world.start()
    with table.open(identity(world, pid)) as handle:
        expect(handle.process, identity(world, pid), "process of the handle")
        expect(handle.ended(), False, "ended() of a living process")
        handle.signal(0)
        world.kill(pid)
        for state in ("zombie", "reaped process"):
            expect(handle.ended(), True, f"ended() of a {state}")
            table.wait([handle], None)
            expect_error(ProcessLookupError, lambda: handle.signal(0), f"signal(0) to a {state}")
            expect_error(ProcessLookupError, lambda: handle.signal(15), f"signal(15) to a {state}")
            if state == "zombie":
                world.reap(pid)
        handle.close()


def signal_ends(world: World) -> None:
    """A signal reaches the held process, and the wait ends with that process."""
    pid, other = world.start(), world.start()
    with (
        world.table.open(identity(world, other)) as bystander,
        world.table.open(identity(world, pid)) as handle,
    ):
        handle.signal(signal.SIGTERM)
        world.table.wait([bystander, handle], None)
        expect((handle.ended(), bystander.ended()), (True, False), "ended() of both")


def ignored_signal_does_not_end(world: World) -> None:
    """A process that ignores a signal lives until KILL."""
    pid = world.start()
    world.ignore(pid, signal.SIGTERM)
    with world.table.open(identity(world, pid)) as handle:
        handle.signal(signal.SIGTERM)
        world.ignore(pid, signal.SIGHUP)  # it can do so, so it lives
        expect(handle.ended(), False, "ended() after an ignored signal")
        handle.signal(signal.SIGKILL)
        world.table.wait([handle], None)
        expect(handle.ended(), True, "ended() after KILL")


def wait_ends_at_its_time(world: World) -> None:
    """A wait ends at its time, and at once if that is past or a process has ended."""
    table, pid = world.table, world.start()
    with table.open(identity(world, pid)) as handle:
        start = table.now()
        table.wait([handle], start - 1)
        until = table.now() + 0.03
        table.wait([handle], until)
        expect(table.now() >= until, True, "the time has come after wait()")
        expect(handle.ended(), False, "ended() after a wait in which nothing happened")
        until = table.now() + 0.01
        table.wait([], until)
        expect(table.now() >= until, True, "the time has come after wait() for no process")
        expect_error(ValueError, lambda: table.wait([], None), "wait() for nothing")


def foreign_process_is_not_signalled(world: World) -> None:
    """A process that the caller may not signal is found, and a signal raises PermissionError."""
    pid = world.foreign()
    if pid is not None:
        with world.table.open(identity(world, pid)) as handle:
            expect_error(PermissionError, lambda: handle.signal(0), "signal(0), not permitted")
            expect_error(PermissionError, lambda: handle.signal(15), "signal(15), not permitted")
            expect(handle.ended(), False, "ended() of a foreign process")


def hidden_process_is_held(world: World) -> None:
    """A process that its user may not read, or even see, is found by its pid, held and ended."""
    hide = hider(world)
    if hide is None:
        return
    table, pid = world.table, world.start()
    before = identity(world, pid)
    hide(pid)
    process = identity(world, pid)
    expect(may_be(process, before), True, "process(pid) is the same when it is hidden")
    expect(table.holds(Criteria(pid=pid), process), True, "holds(pid) of a hidden process")
    with table.open(process) as handle:
        expect(handle.process, process, "process of the handle")
        expect(handle.ended(), False, "ended() of a hidden process")
        handle.signal(0)
        handle.signal(signal.SIGKILL)
        table.wait([handle], None)
        expect(handle.ended(), True, "ended() after KILL")


def launcher_starts_nothing_twice(world: World) -> None:
    """A table that makes its processes is its own launcher, and starts no process twice."""
    launcher, pid = world.table.launcher, world.start()
    if launcher is None:
        return
    expect(launcher is world.table, True, "the launcher is the table")
    match, command = Match(pid=pid), Command([sys.executable])
    for start in (
        lambda: children.start(match, command, table=launcher),
        lambda: _in_a_loop(aio.start(match, command, table=launcher)),
    ):
        expect_error(AlreadyRunning, start, "a start of what runs already")


def launcher_waits_in_the_tables_time(world: World) -> None:
    """A wait of the launcher ends at its time, and when a process has ended."""
    table, pid = world.table, world.start()
    if table.launcher is None:
        return
    with table.open(identity(world, pid)) as handle:
        until = table.now() + 1000
        _in_a_loop(table.launcher.wait_async([handle], until))
        expect(table.now() >= until, True, "the time has come after wait_async()")
        handle.signal(signal.SIGKILL)
        _in_a_loop(table.launcher.wait_async([handle], None))
        expect(handle.ended(), True, "ended() after KILL")


def launcher_delivers_notifications(world: World) -> None:
    """A table that makes its processes delivers what they say by sd_notify(3), in order."""
    table, pid = world.table, world.start()
    if table.launcher is None:
        return
    notify: Callable[[int, str], None] | None = getattr(world, "notify", None)
    with table.launcher.notifications(identity(world, pid)) as inbox:
        expect(inbox.ended(), False, "ended() of a process that has said nothing")
        expect(inbox.receive(), None, "receive() of a process that has said nothing")
        if notify is not None:
            notify(pid, "STATUS=at work")
            notify(pid, "READY=1")
            table.wait([inbox], None)
            expect(inbox.receive(), b"STATUS=at work", "the first message")
            expect(inbox.receive(), b"READY=1", "the second message")
            expect(inbox.ended(), False, "ended() after the last message")


def _in_a_loop(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run a coroutine in a loop of its own, also while this thread runs another loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


CHECKS = (
    handle_outlives_its_process,
    signal_ends,
    ignored_signal_does_not_end,
    wait_ends_at_its_time,
    foreign_process_is_not_signalled,
    hidden_process_is_held,
    launcher_starts_nothing_twice,
    launcher_waits_in_the_tables_time,
    launcher_delivers_notifications,
)

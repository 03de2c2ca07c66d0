"""Waiting costs nothing, and ends with the processes."""

import os
import signal
import sys

import pytest

from .alone import alone
from .processes import LONG, end, facts, reap, state, wait_end
from .programs import Ear, Program, Tool, spawn
from .tracing import Traced

FOREVER = "TERM/1000"  # a schedule; a test that waits for its end fails


def obstinate(program: Program) -> int:
    """Start a program that ignores TERM; return its pid."""
    child = spawn(program.path, *program.script("trap '' TERM; say $$; stay"))
    assert child.pid == program.started()
    return child.pid


@alone
def test_long_wait_costs_no_more_than_a_short_one(tool: Tool) -> None:
    """ssd sleeps for the whole wait in one call; the original wakes fifty times a second."""
    target = obstinate(Program())
    stop = Traced(tool.path, "--stop", "--retry", FOREVER, "--pid", target)
    assert stop.until_signals()
    asleep = stop.until_sleep()
    if tool.is_original:
        # 0.02 seconds, or a multiple of the time of its look on a busy machine.
        sleeps = [asleep, stop.until_sleep(), stop.until_sleep()]
        assert all(0.02 <= (sleep or 0) < 60 for sleep in sleeps), sleeps
    else:
        assert asleep is not None and 900 < asleep <= 1000
    end(target)  # ends the wait, too
    assert (None, 0) == (stop.until_sleep(), stop.status)


@alone
@pytest.mark.parametrize("count", [1, 5])
def test_stop_ends_with_the_last_process(ssd: Tool, count: int) -> None:
    """A stop returns when all have ended, long before the end of its schedule."""
    program = Program()
    targets = {spawn(program.path, *program.words).pid for _ in range(count)}
    assert targets == {program.started() for _ in range(count)}
    done = ssd("--stop", "--retry", FOREVER, "--exec", program.path)
    assert (0, []) == (done.returncode, program.running())
    assert count * [-signal.SIGTERM] == [reap(pid) for pid in targets]


@alone
def test_process_that_becomes_a_zombie_has_ended(ssd: Tool) -> None:
    """A stop does not wait until the stopped process is reaped."""
    program = Program()
    target = spawn(program.path, *program.words)
    program.started()
    assert 0 == ssd("--stop", "--retry", FOREVER, "--pid", target.pid).returncode
    assert "Z" == state(target.pid)


_LEADER = """
import ctypes, os, threading
def stay():
    open("/run/says", "w").write("up\\n")
    open("/run/waits", "r+b", buffering=0).read(1)
threading.Thread(target=stay).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@alone
def test_process_whose_first_thread_has_ended_runs(ssd: Tool) -> None:
    """It looks like a zombie in /proc, but it is found, stopped and waited for."""
    says, _ = Ear("/run/says"), Ear("/run/waits")
    target = spawn(sys.executable, "-IS", "-c", _LEADER)
    assert "up" == says.line()
    leader_ended(target.pid)
    assert 0 == ssd("--status", "--pid", target.pid).returncode
    assert 0 == ssd("--stop", "--retry", FOREVER, "--pid", target.pid).returncode
    assert -signal.SIGTERM == target.wait(LONG)


def leader_ended(pid: int) -> None:
    """Return when the first thread of a process has ended and others have not."""
    while state(pid) != "Z":
        os.sched_yield()


@alone
def test_process_that_appears_during_a_wait_is_found(tool: Tool) -> None:
    """At the end of a wait both look again, and the next signal goes to the newcomer."""
    program = Program()
    (newcomers,) = program.script("trap '' TERM; say $$; stay")
    words = program.script(f"trap 'again {newcomers}; exit' TERM; say $$; stay")
    target = spawn(program.path, *words)
    program.started()
    stop = Traced(tool.path, "--stop", "--retry", "TERM/1/KILL/60", "--exec", program.path)
    assert stop.until_signals()
    stop.until_sent()  # stopped until the newcomer has appeared
    newcomer = program.started()
    assert newcomer != target.pid
    target.wait(LONG)
    assert stop.until_signals()
    stop.until_sent()
    assert -signal.SIGKILL == reap(newcomer)
    assert 0 == stop.finish()


@alone
def test_only_children_are_meant_by_their_parent(tool: Tool) -> None:
    """--ppid stops the children of a process, not the process or its grandchildren."""
    program = Program()
    youngest, *_ = program.words
    middle, *_ = program.script(f"again {youngest}; say $$; stay")
    parent = spawn(program.path, *program.script(f"again {middle}; say $$; stay"))
    family = [program.started() for _ in range(3)]
    parents = {pid: int(facts(pid)["PPid"]) for pid in family}
    (child,) = (pid for pid, above in parents.items() if above == parent.pid)
    (grandchild,) = (pid for pid, above in parents.items() if above == child)
    assert 0 == tool("--stop", "--ppid", parent.pid).returncode
    wait_end(child)
    assert sorted([parent.pid, grandchild]) == program.running()
    end(parent.pid, grandchild)

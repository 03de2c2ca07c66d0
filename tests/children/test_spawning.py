"""Signals and forks of other threads during ``ssd.start``."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.children import python

from ssd.children import spawning
from ssd.children.helper import is_open

# In a session of its own, so that its process group has no other member. The signal comes a
# little later each time, so that it meets every moment of a start.
PRELUDE = """
import collections, os, signal, sys, threading, time, traceback
import ssd, ssd.children.child
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
# A child has a helper only because of the niceness that it asks for.
sleep = ssd.Command(["/bin/sleep", "1000"], nice=int("helped child" in sys.argv))
def later(number, act):
    timer = threading.Timer(0.0013 * number, act)
    timer.start()
    return timer
def descriptors():
    return sorted(os.listdir("/proc/self/fd"))
"""
GROUP = (
    PRELUDE
    + """
signum, background = int(sys.argv[2]), sys.argv[3] == "daemon"
caught = []
signal.signal(signum, lambda *_: caught.append(1))
found = collections.Counter()
for number in range(ROUNDS):
    timer = later(number, lambda: os.killpg(0, signum))
    process = ssd.start(match, sleep, background=background, make_pidfile=background)
    timer.join()
    if background:
        found[ssd.status(match), len(ssd.stop(match))] += 1
    else:
        with process:
            process.signal(signal.SIGKILL)
            found[process.wait() in (-signum, -9)] += 1
print(dict(found), len(caught))
"""
)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"])
@pytest.mark.parametrize("kind", ["daemon", "child", "helped child"])
def test_signal_to_the_callers_group_fails_no_start(name: str, kind: str, tmp_path: Path) -> None:
    """A Ctrl-C that the caller handles ends no helper; a child gets it as its program does."""
    if name == "SIGTSTP" and kind != "daemon":
        pytest.skip("it stops the child, as it would any")
    rounds = 15
    signum = getattr(signal, name)
    code = GROUP.replace("ROUNDS", str(rounds))
    done = python(code, tmp_path, str(int(signum)), kind, start_new_session=True)
    expected = f"{{(0, 1): {rounds}}}" if kind == "daemon" else f"{{True: {rounds}}}"
    assert (f"{expected} {rounds}\n".encode(), b"") == (done.stdout, done.stderr)


RAISING = (
    PRELUDE
    + """
background = sys.argv[2] == "daemon"
class Enough(Exception):
    pass
def enough(*_):
    raise Enough
signal.signal(signal.SIGALRM, enough)
def clear():
    signal.setitimer(signal.ITIMER_REAL, 0)
    ssd.stop(match)
    for pid in open(f"/proc/self/task/{os.getpid()}/children").read().split():
        os.kill(int(pid), 9)
        os.waitid(os.P_PID, int(pid), os.WEXITED | os.WNOWAIT)
    ssd.children.child.reap_dropped()
def whole():  # the seconds that a start takes
    begin = time.monotonic()
    process = ssd.start(match, sleep, background=background, make_pidfile=background)
    took = time.monotonic() - begin
    ssd.stop(ssd.Match(pid=process.pid))
    if not background:
        with process:
            process.wait()
    return took
whole()  # loads modules
seconds = whole()
before = descriptors()
found = collections.Counter()
for number in range(ROUNDS):
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds * (1 + number) / ROUNDS)
        process = ssd.start(match, sleep, background=background, make_pidfile=background)
        signal.setitimer(signal.ITIMER_REAL, 0)
        noted = None
        if not background:
            with process:
                process.signal(9)
                process.wait()
    except Enough as error:
        process = None
        frames = traceback.extract_tb(error.__traceback__)
        if not any("/ssd/" in frame.filename for frame in frames):
            clear()  # it came in between the lines of this test
            continue
        noted = "".join(getattr(error, "__notes__", ()))
    running = [each.pid for each in ssd.stop(match)]
    if noted is not None:
        assert [str(pid) in noted for pid in running] == [True] * len(running), (noted, running)
        assert bool(noted) == bool(running), (noted, running)
    found["started" if noted is None else "noted" if noted else "nothing"] += 1
    children = open(f"/proc/self/task/{os.getpid()}/children").read().split()
    assert not children, children
    process = None
    assert before == descriptors(), (before, descriptors())
print(sorted(found))
"""
)


@pytest.mark.parametrize("kind", ["daemon", "child", "helped child"])
def test_handler_that_raises_leaves_nothing_unknown(kind: str, tmp_path: Path) -> None:
    """No helper, descriptor or child; a note of the exception names a daemon that runs."""
    done = python(RAISING.replace("ROUNDS", "40"), tmp_path, kind, start_new_session=True)
    assert b"" == done.stderr
    assert b"nothing" in done.stdout


@pytest.mark.parametrize("victim", ["helper", "helper, late"])
def test_daemon_of_a_killed_helper_is_known(victim: str, tmp_path: Path) -> None:
    """The daemon itself reports that it runs; a wait for its readiness reports "unheard"."""
    code = KILLED.replace("READY", "300" if "late" in victim else "None")
    done = python(code, tmp_path, start_new_session=True)
    assert b"" == done.stderr
    expected = b"NotReady unheard 0\n" if "late" in victim else b"Process None 0\n"
    assert expected == done.stdout


KILLED = (
    PRELUDE
    + """
from ssd.children.spawning import Spawned
read = Spawned.read
def kill(spawned, fd):
    more = read(spawned, fd)
    if b"executing" in spawned.data and spawned.pid:
        spawned.signal(9)  # before it can say that it is done
    return more
Spawned.read = kill
try:
    result = ssd.start(match, sleep, make_pidfile=True, notify_timeout=READY)
except ssd.NotReady as error:
    result = error
print(type(result).__name__, getattr(result, "reason", None), ssd.status(match))
ssd.stop(match)
"""
)


# Before the program is made there is a fork, whose child has copies of all descriptors and
# lives until the start has returned.
BESIDE = """
import os, sys
import ssd
from ssd.children.spawning import Spawned
match = ssd.Match(pidfile=sys.argv[1] + "/pid")
made, gate = Spawned.spawn, os.pipe()
left = []
def spawn(self, *arguments, **named):
    if not (pid := os.fork()):
        os.close(gate[1])
        os.read(gate[0], 1)
        os._exit(0)
    left.append(pid)
    return made(self, *arguments, **named)
Spawned.spawn = spawn
daemon = sys.argv[2] == "daemon"
sleep = ssd.Command(["/bin/sleep", "1000"], nice=int(sys.argv[2] == "helped child"))
process = ssd.start(match, sleep, background=daemon, make_pidfile=daemon)
print(len(left), os.waitpid(left[0], os.WNOHANG))
os.close(gate[1])
os.waitpid(left[0], 0)
if daemon:
    ssd.stop(match)
else:
    with process:
        process.signal(9)
        process.wait()
"""


@pytest.mark.parametrize("kind", ["child", "helped child", "daemon"])
def test_start_does_not_wait_for_a_fork_made_meanwhile(kind: str, tmp_path: Path) -> None:
    """For example, a worker of multiprocessing lives as long as the program."""
    done = python(BESIDE, tmp_path, kind)
    assert (b"1 (0, 0)\n", b"") == (done.stdout, done.stderr)


def _others_may_fork() -> bool:
    """Return whether another thread could fork now."""
    free: list[bool] = []

    def ask() -> None:
        free.append(spawning._gate.acquire(blocking=False))
        if free[0]:
            spawning._gate.release()

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    return free[0]


def test_fork_waits_while_a_descriptor_is_on_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between pipe(2) or close(2) and the list of open descriptors; afterwards a fork is free."""
    seen: list[bool] = []

    def watched(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            seen.append(_others_may_fork())
            return function(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", watched(os.pipe))
        patch.setattr(os, "close", watched(os.close))
        spawned = spawning.Spawned()
        reading, _ = spawned.pipe()
        spawned.close(reading)
        spawned.drain()
    assert ([False] * 3, True) == (seen, _others_may_fork())


def test_forked_child_can_fork_and_start_children_itself() -> None:
    """The descriptors of its parent's start are closed there once, and no lock stays held."""
    spawned = spawning.Spawned()
    ends = spawned.pipe()
    pid = os.fork()
    if not pid:
        closed = not any(map(is_open, ends))
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        os._exit(0 if closed and _others_may_fork() else 1)
    assert 0 == os.waitpid(pid, 0)[1]
    assert all(map(is_open, ends))
    spawned.drain()

"""Forks by other threads while a start is under way: it does not wait for their children."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.children import python

from ssd.children import spawning

# Whoever makes the program is preceded by a fork, whose child has copies of all descriptors and
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
def test_start_does_not_wait_for_who_was_forked_meanwhile(kind: str, tmp_path: Path) -> None:
    """A worker of multiprocessing, say, lives as long as the program."""
    done = python(BESIDE, tmp_path, kind)
    assert (b"1 (0, 0)\n", b"") == (done.stdout, done.stderr)


def _others_may_fork() -> bool:
    """Say whether another thread could fork now."""
    free: list[bool] = []

    def ask() -> None:
        free.append(spawning._gate.acquire(blocking=False))
        if free[0]:
            spawning._gate.release()

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    return free[0]


def test_nobody_forks_while_a_descriptor_is_on_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between pipe(2) or close(2) and the list of what is open; and a fork is free again then."""
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
    """What its parent had under way is closed there once, and nothing is held for ever."""
    spawned = spawning.Spawned()
    ends = spawned.pipe()
    pid = os.fork()
    if not pid:
        closed = not any(map(_is_open, ends))
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        os._exit(0 if closed and _others_may_fork() else 1)
    assert 0 == os.waitpid(pid, 0)[1]
    assert all(map(_is_open, ends))
    spawned.drain()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True

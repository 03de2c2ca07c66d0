"""A pidfile outlives its daemon, and another process gets the pid: it is not the daemon."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.pidfiles import needs_attributes

import ssd
from ssd import Command, Match
from ssd.service import Service

from .alone import alone
from .test_pid_reuse import LAST_PID, stranger, tick_over, unharmed

SSD = Path(sys.executable).parent / "ssd"
SLEEP = ("/bin/sleep", "1000")
MAKE = ["--make-pidfile", "--startas", "/bin/sleep", "--", "1000"]
HOLD = """
import ssd, sys
lock = ssd.PIDLockFile(sys.argv[1])
lock.acquire(timeout=0)
print("held", flush=True)
sys.stdin.read()
"""

Start = Callable[[Path], int]


def background(path: Path) -> int:
    """Start by the command, in the background."""
    subprocess.run([SSD, "--start", "--background", "--pidfile", path, *MAKE], check=True)
    return int(path.read_text())


def foreground(path: Path) -> int:
    """Start by the command in the foreground."""
    process = subprocess.Popen([SSD, "--start", "--pidfile", path, *MAKE])
    while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
        os.sched_yield()
    return process.pid


def library(path: Path) -> int:
    """Start by the library, in the background."""
    return ssd.start(Match(pidfile=path), Command(SLEEP), make_pidfile=True).pid


def child(path: Path) -> int:
    """Start by the library, as a child."""
    match, command = Match(pidfile=path), Command(SLEEP)
    return ssd.start(match, command, background=False, make_pidfile=True).pid


def psutils(path: Path) -> int:
    """Start by the library, on psutil's table."""
    table = ssd.table_named("psutil")
    return ssd.start(Match(pidfile=path), Command(SLEEP), make_pidfile=True, table=table).pid


def service(path: Path) -> int:
    """Start a declared service."""
    declared = Service(name="nap", executable=SLEEP[0], arguments=[SLEEP[1]], pidfile=str(path))
    match, command = declared.match(), declared.command()
    return ssd.start(match, command, make_pidfile=True).pid


def lock(path: Path) -> int:
    """Run a process that holds a PIDLockFile."""
    pipe = subprocess.PIPE
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=pipe, stdout=pipe)
    assert holder.stdout is not None
    assert b"held\n" == holder.stdout.readline()
    return holder.pid


STARTS: dict[str, Start] = {
    start.__name__: start
    for start in (background, foreground, library, child, psutils, service, lock)
}


def replace(pid: int) -> None:
    """Kill a process, ours or an orphan, and have its pid given to another."""
    process = ssd.default_table().process(pid)
    assert process is not None
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    tick_over(process.start_time)
    stranger(pid)


@pytest.mark.parametrize("way", STARTS)
@alone
def test_stranger_with_the_pid_is_not_the_daemon(way: str, tmp_path: Path) -> None:
    """Row 28: for each writer, the status is 1, a stop kills nothing, and a start starts."""
    if not LAST_PID.exists():
        pytest.skip("the kernel does not let the next pid be chosen")
    path = tmp_path / "pid"
    needs_attributes(tmp_path)
    pid = STARTS[way](path)
    assert (f"{pid}\n", 0) == (path.read_text(), subprocess.call([SSD, "--status", "-p", path]))
    replace(pid)
    with unharmed(pid):
        assert 1 == subprocess.call([SSD, "--status", "--pidfile", path])
        assert 1 == subprocess.call([SSD, "--stop", "--retry", "KILL/60", "--pidfile", path])
        assert not ssd.PIDLockFile(str(path)).is_locked()
        assert pid != background(path) == int(path.read_text())
        assert 0 == subprocess.call([SSD, "--stop", "--retry", "KILL/60", "--pidfile", path])


@alone
def test_pidfile_that_was_put_back_names_nobody(tmp_path: Path) -> None:
    """The owner of a directory may rename an old file of root's, but cannot choose a victim."""
    if not LAST_PID.exists():
        pytest.skip("the kernel does not let the next pid be chosen")
    needs_attributes(tmp_path)
    path, kept = tmp_path / "pid", tmp_path / "kept"
    os.chown(tmp_path, 65534, 65534)
    old = background(path)
    path.rename(kept)
    new = background(path)
    replace(old)
    kept.rename(path)
    with unharmed(old):
        assert 1 == subprocess.call([SSD, "--stop", "--retry", "KILL/60", "--pidfile", path])
    os.kill(new, 9)

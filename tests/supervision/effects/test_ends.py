"""What a service leaves behind ends with it, in namespaces of their own."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from kit import namespace
from kit.children import WAIT_TIMEOUT
from kit.supervise import Supervise, declare, supervise

from ssd import cgroups

pytestmark = pytest.mark.requires_namespaces

# Children of all kinds; the last two are orphans at once, in a session of their own.
FAMILY = """
sleep 1001 &
setsid sleep 1002 &
(sleep 1003 &)
(setsid sleep 1004 &)
(setsid sh -c 'sleep 1005 & sleep 1006' &)
"""
ALL = {"1001", "1002", "1003", "1004", "1005", "1006"}


@pytest.fixture
def command(ssd_path: Path) -> Path:
    """Return the installed command."""
    return ssd_path.with_name("ssd-supervise")


def declaration(script: str, mode: str | None = None, more: str = "") -> str:
    """Return a service that a shell runs, with a line once its children are there."""
    declared = "" if mode is None else f'kill_mode = "{mode}"\n'
    return f"{declared}{more}script = '''\n{script}\n'''\nstop_schedule = \"TERM/5/KILL/5\"\n"


def naps(running: Supervise) -> set[str]:
    """Return the arguments of the sleeps that run."""
    found = set()
    for entry in running.path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"sleep":
                found.add(words[1].decode())
    return found


def until_naps(running: Supervise, expected: set[str]) -> None:
    """Wait until exactly these sleeps run."""
    end = time.monotonic() + WAIT_TIMEOUT
    while naps(running) != expected:
        assert time.monotonic() < end, (naps(running), running.said)
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        (None, set()),
        ("tree", set()),
        ("group", {"1002", "1004", "1005", "1006"}),
        ("main", ALL),
    ],
)
def test_stop_ends_what_kill_mode_says(
    mode: str | None, left: set[str], command: Path, tmp_path: Path
) -> None:
    """All of it by default: children, sessions of their own, and orphans."""
    services = {
        "web": declaration(f"{FAMILY}\nexec sleep 1000", mode, 'respawn = {when = "never"}\n'),
        "other": declaration("exec sleep 2000"),
    }
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web runs as process", "other runs as process")
        until_naps(running, {*ALL, "1000", "2000"})
        (tmp_path / "d" / "web.toml").unlink()
        running.send(signal.SIGHUP)
        until_naps(running, {*left, "2000"})


def test_crash_leaves_nothing_to_its_successor(command: Path, tmp_path: Path) -> None:
    """What a main process has left ends before the next one begins: it may hold a port."""
    script = f"[ ! -e /tmp/again ] || exec sleep 3000\n: > /tmp/again\n{FAMILY}\nexec sleep 1000"
    services = {"web": declaration(script, more='respawn = {when = "always"}\n')}
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web runs as process")
        until_naps(running, {*ALL, "1000"})
        main = running.outside(running.pid_of("web"))
        os.kill(main, signal.SIGKILL)
        running.until("web runs as process")
        until_naps(running, {"3000"})


def test_stubborn_family_is_killed_by_the_schedule(command: Path, tmp_path: Path) -> None:
    """Those that ignore TERM, and their children, which ignore it too."""
    services = {
        "web": "stop_schedule = \"TERM/1/KILL/5\"\nscript = '''\ntrap '' TERM\n"
        f"{FAMILY}\nexec sleep 1000\n'''\n"
    }
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web runs as process")
        until_naps(running, {*ALL, "1000"})
        (tmp_path / "d" / "web.toml").unlink()
        running.send(signal.SIGHUP)
        until_naps(running, set())
        assert 0 == running.stop()


STRAYS = """
    {script} --directory={directory} > /tmp/said & supervisor=$!
    until [ "$(pgrep -cx sleep)" = {count} ]; do :; done
    kill $supervisor; wait $supervisor; echo "ended with $?"
    pgrep -ax sleep | grep -v defunct  # the shell, which is process 1, has not waited for those
"""


@pytest.mark.parametrize(("mode", "left"), [("tree", []), ("group", ["1004"])])
def test_nothing_outlives_the_supervisor(
    command: Path, tmp_path: Path, mode: str, left: list[str]
) -> None:
    """A session of its own, no parent, no marker: when all have stopped it is a service's.

    Unless one of them may leave processes.
    """
    script = "(setsid env -i sleep 1004 >/dev/null &)\nexec sleep 1000"
    declare(tmp_path, {"web": declaration(script, mode), "old": declaration("exec sleep 1000")})
    shell = STRAYS.format(script=command, directory=tmp_path, count=3)
    argv = namespace.command(["sh", "-c", shell], keep=[tmp_path])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    ended, *naps_left = done.stdout.splitlines()
    assert ("ended with 0", left) == (ended, [nap.split()[-1] for nap in naps_left])


HOOKED = """
    {script} --directory={directory} > /tmp/said & supervisor=$!
    until [ -s /run/nap.pid ]; do :; done
    kill $supervisor
    until pgrep -fx "sleep 1001" > /run/found; do :; done
    kill $supervisor; wait $supervisor; echo "ended with $?"
    pgrep -ax sleep | grep -v defunct  # the shell, which is process 1, has not waited for those
"""


def test_second_term_ends_what_a_hook_has_started(command: Path, tmp_path: Path) -> None:
    """The commands of a hook after the stop, which no later step would look for."""
    hooked = declaration("exec sleep 1000", "main", 'after_stop = "sleep 1001; true"\n')
    declare(tmp_path, {"nap": hooked})
    shell = HOOKED.format(script=command, directory=tmp_path)
    argv = namespace.command(["sh", "-c", shell], keep=[tmp_path])
    done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
    assert "ended with 0\n" == done.stdout


def test_cgroup_holds_what_has_left_everything_else(command: Path, tmp_path: Path) -> None:
    """A session of its own, no parent, no marker: only a cgroup knows whose it is."""
    if (probe := cgroups.make(f"ssd-test-{os.getpid()}")) is None:
        pytest.skip("no cgroup of version 2 can be made here")
    probe.remove()
    script = "(setsid env -i sleep 1004 &)\nexec sleep 1000"
    # What it starts before it is in its cgroup is not.
    inside = {"cgroup": "until grep -q ssd- /proc/self/cgroup; do :; done\n"}
    services = {
        name: declaration(inside.get(mode, "") + script.replace("100", number), mode)
        for name, number, mode in (("web", "100", "cgroup"), ("old", "200", "tree"))
    }
    with supervise(command, tmp_path / "d", services) as running:
        running.until("web runs as process", "old runs as process")
        until_naps(running, {"1000", "1004", "2000", "2004"})
        for name in services:
            (tmp_path / "d" / f"{name}.toml").unlink()
        running.send(signal.SIGHUP)
        until_naps(running, {"2004"})
        assert 0 == running.stop()

"""The commands under test, and daemons for them to start.

All of it is for use inside namespaces (alone.py).
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ssd.testing.daemons import LISTENER

from .processes import LONG, executable, pidfd, pids, ready

ORACLE = "/usr/sbin/start-stop-daemon"


def run(*words: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and capture its text."""
    settings = {"capture_output": True, "text": True, "timeout": LONG, "cwd": "/"}
    return subprocess.run(list(map(str, words)), **{**settings, **options})


def spawn(*words: Any, **options: Any) -> subprocess.Popen[str]:
    """Start a command; its output can be read when it has ended."""
    pipe = subprocess.PIPE
    settings = {"stdout": pipe, "stderr": pipe, "text": True, "cwd": "/"}
    return subprocess.Popen(list(map(str, words)), **{**settings, **options})


class Tool:
    """start-stop-daemon or ssd, to be called with its arguments."""

    def __init__(self, path: str, is_original: bool) -> None:
        self.path = path
        self.is_original = is_original

    def __call__(self, *words: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return run(self.path, *words, **options)

    def expects(self, original: Any, ssd: Any) -> Any:
        """Return the expected result of the tool: the first is the original's, the second ssd's."""
        return original if self.is_original else ssd


class Program:
    """A daemon for tests: it writes its pid into a named pipe and stays.

    Its executable, a shell, has a path and a name of its own. ``words`` are its arguments.
    """

    def __init__(self, name: str = "daemon", directory: str = "/run/stage") -> None:
        """Lay it out in a directory that every user may read."""
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.path = f"{directory}/{name}"
        shutil.copy("/bin/dash" if os.path.exists("/bin/dash") else "/bin/sh", self.path)
        self.ear = Ear(f"{directory}/{name}.says")
        self._waits = Ear(f"{directory}/{name}.waits")
        self._scripts = 0
        self.words = self.script("say $$; stay")

    def script(self, text: str) -> list[str]:
        """Return the arguments that make it do something else.

        There, "say TEXT" writes to ``ear``, "stay" does not return, "again SCRIPT" starts
        another one in the background.
        """
        self._scripts += 1
        file = f"{self.path}.script{self._scripts}"
        Path(file).write_text(
            f'say() {{ echo "$1" > {self.ear.path}; }}\n'
            f"stay() {{ while :; do read x <> {self._waits.path}; done; }}\n"
            f'again() {{ {self.path} "$1" & }}\n'
            f"{text}\n"
        )
        return [file]

    def running(self) -> list[int]:
        """Return the living processes that run it, ascending."""
        return [pid for pid in pids() if executable(pid) == self.path]

    def started(self) -> int:
        """Wait until one has written its pid, and return that."""
        return int(self.ear.line())

    def settle(self, others: Iterable[int]) -> list[int]:
        """Wait until only ``others`` and this program run; return its pids.

        So a process that was about to become it has done so or given up.
        """
        until = time.monotonic() + LONG
        while True:
            self.ear.drain()
            there = self.running()
            strangers = [pid for pid in pids() if pid not in there and pid not in others]
            pidfds = [fd for pid in strangers if (fd := pidfd(pid)) is not None]
            if not pidfds:
                return self.running()
            # Any other process either ends or becomes the program, which then writes its pid.
            came = ready([*pidfds, self.ear.fileno()], until)
            for fd in pidfds:
                os.close(fd)
            assert came, f"these neither end nor start: {strangers}"


class Listener:
    """A daemon that reports which signals reached it (``ssd.testing.listener``)."""

    def __init__(self, **options: Any) -> None:
        """Start it and wait until it listens. ``options`` are those of Popen."""
        words = [sys.executable, "-IS", LISTENER]
        self._child = spawn(*words, **options)
        self.pid = self._child.pid
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == f"ready {self.pid}\n"

    def heard(self) -> list[str]:
        """End it by TERM, the last of the names that are returned."""
        self._child.terminate()
        said, wrong = self._child.communicate(timeout=LONG)
        assert not wrong
        return [line.removeprefix("got ") for line in said.splitlines()]


class Ear:
    """A named pipe that every user may write lines into, and that never has an end of file."""

    def __init__(self, path: str) -> None:
        os.mkfifo(path)
        os.chmod(path, 0o666)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._heard = b""

    def fileno(self) -> int:
        """Return a descriptor that is readable when a line has come."""
        return self._fd

    def line(self) -> str:
        """Wait for a line and return it without its end."""
        until = time.monotonic() + LONG
        while b"\n" not in self._heard:
            assert ready([self._fd], until), f"nothing more was said: {self._heard!r}"
            self._heard += os.read(self._fd, 65536)
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def drain(self) -> None:
        """Discard all lines so far."""
        while ready([self._fd], 0):
            os.read(self._fd, 65536)
        self._heard = b""

    def say(self, text: str) -> None:
        """Write a line into it, for its reader."""
        os.write(self._fd, f"{text}\n".encode())


# Prints its pid and its real, effective and saved ids, and stays. A shell would drop an effective
# root (dash(1), -p).
_TELLER = """\
#!{python} -IS
import json, os
with open({ear!r}, "w") as ear:
    print(json.dumps([os.getpid(), os.getresuid(), os.getresgid()]), file=ear)
os.read(os.pipe()[0], 1)
"""


def teller(ear: Ear) -> str:
    """Return the path of a program that tells an ear its pid, user ids and group ids."""
    path = Path(f"{ear.path}.teller")
    path.write_text(_TELLER.format(python=sys.executable, ear=ear.path))
    path.chmod(0o755)
    return str(path)


def recorded(pidfile: str | Path) -> int | None:
    """Return the pid in a pidfile, None if the file does not exist."""
    try:
        return int(Path(pidfile).read_text())
    except FileNotFoundError:
        return None


def reincarnate(pid: int) -> subprocess.Popen[str]:
    """Start a process with the former pid of another. Skips if the kernel does not allow it."""
    try:
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    except OSError as error:
        pytest.skip(f"this kernel gives no pid that is asked for: {error}")
    stranger = spawn("sleep", "1000")
    assert pid == stranger.pid
    return stranger

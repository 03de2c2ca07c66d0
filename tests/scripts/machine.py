"""A scratch directory that stands for a machine with the init script nova-compute on it."""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
WAIT_TIMEOUT = 60  # seconds for one run of the script

# Writes its arguments, one a line, to the named pipe if there is one, and stays.
DAEMON = """#!/bin/sh
if [ -p '{root}/arguments' ]; then
    for word; do echo "$word"; done > '{root}/arguments'
fi
exec sleep 1000
"""


# A declaration in place of the shipped one, which cannot have another root: a verb by name
# drops the caller's environment.
NAMED = """PROJECT_NAME=nova
NAME=nova-compute
DESC="OpenStack Nova Compute ($NAME)"
ROOT_DIR={root}
SYSTEM_USER={user}
"""


class Machine:
    """The script, the daemon that it starts, and their processes."""

    def __init__(self, root: Path, script: Path, tool: Path | str) -> None:
        self.root = root
        self.script = script
        self.daemon = root / "usr/bin/nova-compute"
        self.pidfile = root / "var/run/nova/nova-compute.pid"
        self.log = root / "var/log/nova/nova-compute.log"
        self.environment: dict[str, str] = {
            "PATH": "/usr/bin:/bin",
            "ROOT_DIR": str(root),
            "START_STOP_DAEMON": str(tool),
            "SYSTEM_USER": "root",
        }
        self.options: dict[str, Any] = {}
        self.command: list[Path | str] = [script]
        self.running = "nova-compute is running (process {pid})\n"
        self._reapers: list[Reaper] = []
        self._before = children()

    @classmethod
    def declared(cls, root: Path, script: Path, interpreter: Path) -> "Machine":
        """Make one whose init script is a declaration, with its interpreter beside it."""
        directory = root / "etc/init.d"
        directory.mkdir(parents=True)
        (directory / "ssd-service").symlink_to(interpreter)
        installed = directory / "nova-compute"
        installed.write_bytes(script.read_bytes())
        installed.chmod(0o755)
        machine = cls(root, installed, "/nonexistent/start-stop-daemon")
        machine.environment["PATH"] = f"{directory}:/usr/bin:/bin"
        machine.running = "nova-compute is running (process {pid}), up {}, {}\n"
        return machine

    @classmethod
    def named(cls, root: Path, interpreter: Path, user: str = "root") -> "Machine":
        """Make one without an init script: ssd-service knows the service by its name."""
        machine = cls(root, root / "etc/init.d/none", "/nonexistent/start-stop-daemon")
        machine.write("etc/ssd/nova-compute", NAMED.format(root=root, user=user))
        machine.command = [interpreter, f"--directory={root}/etc/ssd", "nova-compute"]
        machine.running = "nova-compute is running (process {pid}), up {}, {}\n"
        return machine

    def install(self, text: str = DAEMON) -> None:
        """Put a daemon in nova-compute's place."""
        self.daemon.parent.mkdir(parents=True)
        self.daemon.write_text(text.format(root=self.root))
        self.daemon.chmod(0o755)

    def write(self, path: str, text: str) -> Path:
        """Write a file of this machine and return its path."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script with a minimal environment, as service(8) does."""
        done = subprocess.run(
            [*self.command, *words],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=WAIT_TIMEOUT,
            **self.options,
        )
        self._adopt()
        return done

    def expect(self, status: int, *words: str, **environment: str) -> str:
        """Run the script, which must have this exit status, and return its output."""
        done = self(*words, **environment)
        told = f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert status == done.returncode, told
        return done.stdout

    def says_running(self, pid: int) -> bool:
        """Ask for the status, which must be 0, and return whether all is as it must be."""
        pattern = re.escape(self.running).replace(r"\{pid\}", str(pid)).replace(r"\{\}", "[^,]+")
        return re.fullmatch(pattern, self.expect(0, "status")) is not None

    @property
    def pid(self) -> int:
        """Return the process that the pidfile names."""
        return int(self.pidfile.read_text())

    def started(self, **environment: str) -> list[str]:
        """Start, wait until the daemon runs, and return its arguments.

        The original does not wait: perhaps the daemon is not executed yet.
        """
        pipe = self.root / "arguments"
        os.mkfifo(pipe)
        pipe.chmod(0o666)
        self.expect(0, "start", **environment)
        told = pipe.read_text().splitlines()
        pipe.unlink()
        return told

    def arguments(self, **environment: str) -> list[str]:
        """Start, stop again, and return the daemon's arguments."""
        told = self.started(**environment)
        self.expect(0, "stop", **environment)
        return told

    def kill(self, pid: int) -> None:
        """Kill a process of this machine, and return when it is reaped."""
        os.kill(pid, signal.SIGKILL)
        self._wait()

    def end(self) -> None:
        """Kill and reap all processes that are left."""
        self._adopt()
        for reaper in self._reapers:
            reaper.kill()
        self._wait()
        for reaper in self._reapers:
            os.close(reaper.fd)

    def _adopt(self) -> None:
        """Reap the daemons when they end: for the original a zombie runs."""
        known = {reaper.pid for reaper in self._reapers if reaper.is_alive()}
        for pid in children() - self._before - known:
            reaper = Reaper(pid)
            self._reapers.append(reaper)
            reaper.start()

    def _wait(self) -> None:
        """Wait for the end of every daemon that was killed; no other may be running."""
        for reaper in self._reapers:
            reaper.join(WAIT_TIMEOUT)
            assert not reaper.is_alive(), f"process {reaper.pid} has not ended"


class Reaper(threading.Thread):
    """Reaps a child when it ends, and can kill it until then."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.fd = os.pidfd_open(pid)

    def run(self) -> None:
        """Wait for the end, unless it is reaped already."""
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self.fd, os.WEXITED)

    def kill(self) -> None:
        """End it at once, if it has not ended yet."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, signal.SIGKILL)


def children() -> set[int]:
    """Return our children, also orphans that we have adopted.

    The kernel may skip one if another is reaped while they are read (proc(5)). So they are read
    until two results are equal.
    """
    found = _children()
    while found != (found := _children()):
        pass
    return found


def _children() -> set[int]:
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):  # a thread that has just ended
            text = Path(f"/proc/self/task/{task}/children").read_text()
            found |= set(map(int, text.split()))
    return found


@contextlib.contextmanager
def subreaper() -> Iterator[None]:
    """Become the parent of the daemons, because process 1 may be slow to reap."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

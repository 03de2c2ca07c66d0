"""Worlds for the checks of conformance: one of real children, one of declared processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from ssd.processes.types import ProcessTable
from ssd.testing.fake import FakeProcesses
from ssd.testing.process import FakeProcess
from ssd.testing.reactions import ignores

CHILD = Path(__file__).with_name("child.py")


class RealWorld:
    """Real children of this process, for a table of real processes.

    Each runs ``ssd.testing.child`` and has said "ready" before it is used. Close it: that
    ends and reaps them all.
    """

    def __init__(self, table: ProcessTable) -> None:
        self.table = table
        self.caller = os.getpid()
        self.can_rename = sys.platform == "linux"
        self._children: dict[int, subprocess.Popen[str]] = {}
        self._lifeline = os.pipe()

    def start(self, name: bytes | None = None, *, parent: int | None = None) -> int:
        """Start a child, or have a child make one."""
        if parent is not None:
            return int(self._tell(parent, f"fork {(name or b'').hex()}"))
        read_end = self._lifeline[0]
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(CHILD), str(read_end)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[read_end],
        )
        self._children[child.pid] = child
        self._hear(child, "ready")
        if name is not None:
            self.rename(child.pid, name)
        return child.pid

    def rename(self, pid: int, name: bytes) -> None:
        """Have a child take another name."""
        self._tell(pid, f"name {name.hex()}")

    def ignore(self, pid: int, signum: int) -> None:
        """Have a child ignore a signal."""
        self._tell(pid, f"ignore {int(signum)}")

    def kill(self, pid: int) -> None:
        """End a child; return when it is a zombie."""
        os.kill(pid, signal.SIGKILL)  # Popen's own would reap one that has ended
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def reap(self, pid: int) -> None:
        """Wait for a child that was killed."""
        with self._children.pop(pid):  # closes its pipes, too
            pass

    def file(self, pid: int) -> tuple[int, int]:
        """Return device and inode of the interpreter."""
        facts = os.stat(os.path.realpath(sys.executable))
        return facts.st_dev, facts.st_ino

    def uid(self) -> int:
        """Return our own user."""
        return os.geteuid()

    def foreign(self) -> int | None:
        """Return pid 1, unless we are root or it is our own."""
        try:
            os.kill(1, 0)
        except PermissionError:
            return 1
        return None

    def close(self) -> None:
        """End all children and theirs."""
        for end in self._lifeline:
            os.close(end)
        for child in self._children.values():
            with child:
                child.kill()
        self._children.clear()

    def _tell(self, pid: int, command: str) -> str:
        """Give a child a command; return its answer."""
        child = self._children[pid]
        assert child.stdin is not None  # for type checkers: both are pipes
        child.stdin.write(f"{command}\n")
        child.stdin.flush()
        return self._hear(child)

    def _hear(self, child: subprocess.Popen[str], expected: str | None = None) -> str:
        """Return what a child says next. Raises RuntimeError if it says something else."""
        assert child.stdout is not None
        said = child.stdout.readline().rstrip("\n")
        if not said or (expected is not None and said != expected):
            raise RuntimeError(f"child {child.pid} said {said!r}")
        return said


class FakeWorld:
    """Declared processes, for a FakeProcesses table; by default one of an ordinary user."""

    def __init__(self, table: FakeProcesses | None = None) -> None:
        self.fake = FakeProcesses(caller_uid=1000) if table is None else table
        self.table: ProcessTable = self.fake
        self.caller = self.fake.caller.pid
        self.can_rename = True
        self._started: list[FakeProcess] = []

    def start(self, name: bytes | None = None, *, parent: int | None = None) -> int:
        """Declare a child of the caller, or have ``parent`` fork one."""
        if parent is None:
            process = self.fake.add(
                name or b"python3",
                exe=sys.executable,
                uid=self.fake.caller_uid,
                ppid=self.caller,
                reaped_after=None,
            )
        else:
            process = self.fake[parent].fork(**({} if name is None else {"name": name}))
        self._started.append(process)
        return process.pid

    def rename(self, pid: int, name: bytes) -> None:
        """Have a process take another name."""
        self.fake[pid].rename(name)

    def ignore(self, pid: int, signum: int) -> None:
        """Have a process ignore a signal."""
        self.fake[pid].reactions[signum] = ignores()

    def kill(self, pid: int) -> None:
        """End a process and leave a zombie."""
        self.fake[pid].die()

    def reap(self, pid: int) -> None:
        """Take a zombie off the table."""
        self.fake[pid].reap()

    def file(self, pid: int) -> tuple[int, int]:
        """Return device and inode of the executable."""
        facts = os.stat(sys.executable)
        return facts.st_dev, facts.st_ino

    def uid(self) -> int:
        """Return the caller's user."""
        return self.fake.caller_uid

    def foreign(self) -> int | None:
        """Return init, which belongs to root."""
        return None if self.fake.caller_uid == 0 else self.fake.init.pid

    def close(self) -> None:
        """End and reap all that was started."""
        for process in self._started:
            process.die(status=-signal.SIGKILL)
            process.reap()
        self._started.clear()

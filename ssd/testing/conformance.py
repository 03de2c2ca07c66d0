"""The rules of every process table, as checks that run on any of them.

A check gets a world: a table, and the means to make things happen on it. ``RealWorld`` makes real
children, ``FakeWorld`` declares processes. For fake processes of your own, write a world of your
own with the members of ``ssd.testing.World``. The docstring of a check is its rule; the check
raises AssertionError if the rule does not hold.
"""

import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ssd.processes.contract import ProcessTable
from ssd.testing import finding_checks, handle_checks, kin_checks, rare_checks
from ssd.testing.expectations import World
from ssd.testing.fake import FakeProcesses
from ssd.testing.process import FakeProcess
from ssd.testing.reactions import ignores, reloads
from ssd.validation import demand_table

CHILD = Path(__file__).with_name("child.py")
WORDS = ("-I", "-S", str(CHILD))  # of the command line of every process, after the interpreter
FORK_TIMEOUT = 60  # seconds until a forked process connects
CHECKS: tuple[Callable[[World], None], ...] = (
    *finding_checks.CHECKS,
    *handle_checks.CHECKS,
    *kin_checks.CHECKS,
    *rare_checks.CHECKS,
)


def check_process_table(
    table: ProcessTable, make_world: Callable[[ProcessTable], World] | None = None
) -> None:
    """Check a process table against the contract of ``ssd.processes.contract``.

    ``make_world`` returns a world for each check, which is closed after it. Unless given, that is a
    FakeWorld for a FakeProcesses, and a RealWorld for any other table.

    Raises AssertionError at the first rule that does not hold; its note is the rule. Raises
    TypeError for a table that lacks members.
    """
    demand_table(table)
    for check in CHECKS:
        world = _world(table) if make_world is None else make_world(table)
        try:
            check(world)
        except AssertionError as error:
            error.add_note(f"{check.__name__}: {check.__doc__}")
            raise
        finally:
            world.close()


def _world(table: ProcessTable) -> World:
    """Make the world that goes with a table."""
    return FakeWorld(table) if isinstance(table, FakeProcesses) else RealWorld(table)


class Obedient:
    """A process that runs ``ssd.testing.child``, with the pipes for orders and answers."""

    def __init__(self, pid: int, orders: IO[str], answers: IO[str]) -> None:
        self.pid = pid
        self._orders = orders
        self._answers = answers

    def tell(self, command: str) -> str:
        """Give it a command; return its answer."""
        self._orders.write(f"{command}\n")
        self._orders.flush()
        return self.hear()

    def hear(self, expected: str | None = None) -> str:
        """Return what it says next. Raises RuntimeError if it says something else."""
        said = self._answers.readline().rstrip("\n")
        if not said or (expected is not None and said != expected):
            raise RuntimeError(f"child {self.pid} said {said!r}")
        return said

    def close(self) -> None:
        """Close its pipes; it ends, unless it is stopped."""
        self._orders.close()
        self._answers.close()


class RealWorld:
    """Real children of this process, for a table of real processes.

    Each runs ``ssd.testing.child``, has said "ready" before it is used, and leads a session, as
    daemons do. ``close`` ends all of them and reaps the children.
    """

    def __init__(self, table: ProcessTable) -> None:
        self.table = table
        self.caller = os.getpid()
        self.can_rename = sys.platform == "linux"
        self._children: dict[int, subprocess.Popen[str]] = {}
        self._obedient: dict[int, Obedient] = {}
        self._parents: dict[int, int] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="ssd-world-")
        os.chmod(self._folder.name, 0o711)
        self._count = itertools.count()

    def start(self, name: bytes | None = None, *, parent: int | None = None) -> int:
        """Start a child, or have one of the processes fork."""
        process = self._child() if parent is None else self._fork(parent, name)
        process.hear("ready")
        self._obedient[process.pid] = process
        if name is not None and parent is None:
            self.rename(process.pid, name)
        return process.pid

    def rename(self, pid: int, name: bytes) -> None:
        """Have a process take another name."""
        self._obedient[pid].tell(f"name {name.hex()}")

    def execute(self, pid: int, name: bytes) -> None:
        """Have a process execute its program by a path that ends with a name."""
        path = os.fsencode(self._folder.name) + b"/%d" % next(self._count)
        os.mkdir(path, 0o755)
        path += b"/" + name
        os.symlink(os.path.realpath(os.fsencode(sys.executable)), path)
        if self._obedient[pid].tell(f"execute {path.hex()}") != "ready":
            raise RuntimeError(f"{pid} has not executed {path!r}")

    def ignore(self, pid: int, signum: int) -> None:
        """Have a process ignore a signal."""
        self._obedient[pid].tell(f"ignore {int(signum)}")

    def catch(self, pid: int, signum: int) -> None:
        """Have a process catch a signal and go on."""
        self._obedient[pid].tell(f"catch {int(signum)}")

    def lead(self, pid: int) -> None:
        """Have a process make a session of its own."""
        self._obedient[pid].tell("lead")

    def put(self, pid: int, entry: str) -> None:
        """Have a process execute its program again with one more entry in the environment."""
        self._obedient[pid].tell(f"put {entry}")
        self.execute(pid, b"python3")

    def become(self, pid: int, uid: int) -> None:
        """Have a process belong to another user; root's may."""
        self._obedient[pid].tell(f"become {uid}")

    def hide(self, pid: int) -> None:
        """Make a process not dumpable: only root may read all of it. Linux only."""
        self._obedient[pid].tell("hide")

    def kill(self, pid: int) -> None:
        """End a child, or a child of a running child; return when it is a zombie."""
        os.kill(pid, signal.SIGKILL)  # Popen's own would reap one that has ended
        if pid in self._parents:
            self._obedient[self._parents[pid]].tell(f"ended {pid}")
        else:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def reap(self, pid: int) -> None:
        """Reap a process that was killed, or have its parent do so."""
        if pid in self._parents:
            self._obedient[self._parents[pid]].tell(f"reap {pid}")
        else:
            self._children.pop(pid).wait()
        self._obedient.pop(pid).close()

    def await_stop(self, pid: int) -> None:
        """Wait until a child of a child, which runs, has stopped."""
        self._obedient[self._parents[pid]].tell(f"stopped {pid}")

    def file(self, pid: int) -> tuple[int, int]:
        """Return device and inode of the interpreter."""
        facts = os.stat(os.path.realpath(sys.executable))
        return facts.st_dev, facts.st_ino

    def script(self) -> str:
        """Return the script that the interpreter of all children runs."""
        return str(CHILD)

    def uid(self) -> int:
        """Return our own user."""
        return os.geteuid()

    def foreign(self) -> int | None:
        """Return pid 1, unless this process may signal it."""
        try:
            os.kill(1, 0)
        except PermissionError:
            return 1
        return None

    def close(self) -> None:
        """End all children and theirs."""
        for child in self._children.values():
            child.kill()
            child.wait()
        for process in self._obedient.values():
            process.close()
        self._children.clear()
        self._obedient.clear()
        self._folder.cleanup()

    def _child(self) -> Obedient:
        """Start a child of this process."""
        child = subprocess.Popen(
            [sys.executable, *WORDS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert child.stdin is not None and child.stdout is not None  # for type checkers
        self._children[child.pid] = child
        return Obedient(child.pid, child.stdin, child.stdout)

    def _fork(self, parent: int, name: bytes | None) -> Obedient:
        """Have a process make a child."""
        path = os.fsencode(self._folder.name) + b"/%d" % next(self._count)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(FORK_TIMEOUT)
            os.chmod(path, 0o666)  # for processes of another user
            pid = int(self._obedient[parent].tell(f"fork {path.hex()} {(name or b'').hex()}"))
            self._parents[pid] = parent
            near = listener.accept()[0]
        with near:
            return Obedient(pid, near.makefile("w"), near.makefile("r"))


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
                argv=[sys.executable, *WORDS],
                exe=sys.executable,
                uid=self.fake.caller_uid,
                ppid=self.caller,
                reaped_after=None,
            )
            process.lead()
        else:
            process = self.fake[parent].fork(**({} if name is None else {"name": name}))
        self._started.append(process)
        return process.pid

    def rename(self, pid: int, name: bytes) -> None:
        """Have a process take another name."""
        self.fake[pid].rename(name)

    def execute(self, pid: int, name: bytes) -> None:
        """Have a process execute its program by a path that ends with a name."""
        program = self.fake.register(b"/fake/" + name, exe=sys.executable)
        self.fake[pid].execute(program.path, *WORDS)

    def ignore(self, pid: int, signum: int) -> None:
        """Have a process ignore a signal."""
        self.fake[pid].reactions[signum] = ignores()

    def catch(self, pid: int, signum: int) -> None:
        """Have a process catch a signal and go on."""
        self.fake[pid].reactions[signum] = reloads()

    def notify(self, pid: int, text: str) -> None:
        """Have a process say something by sd_notify(3)."""
        self.fake[pid].notify(text)

    def lead(self, pid: int) -> None:
        """Have a process make a session of its own."""
        self.fake[pid].lead()

    def put(self, pid: int, entry: str) -> None:
        """Have a process execute its program again with one more entry in the environment."""
        key, _, value = entry.partition("=")
        self.fake[pid].environment = {**self.fake[pid].environment, key: value}
        self.execute(pid, b"python3")

    def become(self, pid: int, uid: int) -> None:
        """Have a process belong to another user."""
        self.fake[pid].uid = uid

    def hide(self, pid: int) -> None:
        """Make a process not dumpable."""
        self.fake[pid].dumpable = False

    def kill(self, pid: int) -> None:
        """End a process and leave a zombie."""
        self.fake[pid].die(status=-signal.SIGKILL)

    def reap(self, pid: int) -> None:
        """Take a zombie off the table."""
        self.fake[pid].reap()

    def file(self, pid: int) -> tuple[int, int]:
        """Return device and inode of the executable."""
        facts = os.stat(sys.executable)
        return facts.st_dev, facts.st_ino

    def script(self) -> str:
        """Return the script that the interpreter of all processes runs."""
        return str(CHILD)

    def contain(self, pid: int) -> None:
        """Have a process be in another PID namespace, below the caller's."""
        self.fake[pid].contained = True

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

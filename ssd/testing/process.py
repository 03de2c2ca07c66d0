"""One declared process: its facts, and what becomes of it."""

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from ssd.processes.identity import Process
from ssd.testing.reactions import Reaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.fake import FakeProcesses

Executable = str | bytes | os.PathLike[str] | tuple[int, int] | None

# signal(7): what does not end a process that has not asked for it.
IGNORED = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

RUNNING, STOPPED, ZOMBIE, GONE = "running", "stopped", "zombie", "gone"
# running <-> stopped: STOP, CONT     running | stopped -> zombie: die     zombie -> gone: reap


class FakeProcess:
    """A process on a FakeProcesses table; made by its ``add``, which says what is what.

    ``state`` is "running", "stopped" (signals but KILL and CONT wait), "zombie" or "gone".
    """

    def __init__(
        self,
        table: "FakeProcesses",
        identity: Process,
        name: str | bytes,
        argv: Sequence[str],
        exe: Executable,
        uid: int,
        ppid: int,
        reactions: Mapping[int, Reaction],
        reaped_after: float | None,
    ) -> None:
        self.table = table
        self.identity = identity
        self.name = comm(name)
        self.argv = list(argv)
        self.exe = exe
        self.uid = uid
        self.ppid = ppid
        self.reactions = dict(reactions)
        self.reaped_after = reaped_after
        self.state = RUNNING
        self.pending: list[int] = []

    @property
    def pid(self) -> int:
        """The pid, also when it is gone and somebody else's."""
        return self.identity.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended; a zombie has."""
        return self.state in (ZOMBIE, GONE)

    def file(self) -> tuple[int, int] | None:
        """Return device and inode of the executable: of what has its path now."""
        if self.exe is None or isinstance(self.exe, tuple):
            return self.exe
        try:
            facts = os.stat(self.exe)
        except OSError:  # removed, as /proc/PID/exe would say
            return None
        return facts.st_dev, facts.st_ino

    def receive(self, signum: int) -> None:
        """Take a signal now, or after SIGCONT if it is stopped."""
        if self.state == STOPPED and signum not in (signal.SIGKILL, signal.SIGCONT):
            self.pending.append(signum)
            return
        if signum == signal.SIGCONT:
            self._resume()
        if not self.ended:
            self._take(signum)

    def die(self, after: float = 0.0) -> None:
        """End, at once or after some seconds; then be a zombie until the parent reaps."""
        if after > 0:
            self.table.clock.after(after, self.die)
        elif not self.ended:
            self.state = ZOMBIE
            self.table.bury(self)

    def reap(self) -> None:
        """Leave the table: the parent has waited for it. Raises ValueError if it lives."""
        if not self.ended:
            raise ValueError(f"{self} has not ended")
        if self.state == ZOMBIE:
            self.state = GONE
            self.table.forget(self)

    def rename(self, name: str | bytes) -> None:
        """Take another name, cut to 15 bytes like the kernel's."""
        self.name = comm(name)

    def execute(self, exe: str | os.PathLike[str], *arguments: str) -> None:
        """Run another program: executable, arguments and name change, the identity stays."""
        self.exe = exe
        self.argv = [os.fspath(exe), *arguments]
        self.rename(os.path.basename(exe))

    def fork(self, **facts: Any) -> "FakeProcess":
        """Make a child like this process but for ``facts``; see ``FakeProcesses.add``."""
        copied = ("name", "argv", "exe", "uid", "reactions", "reaped_after")
        likeness = {fact: getattr(self, fact) for fact in copied}
        return self.table.add(**{**likeness, "ppid": self.pid, **facts})

    def _take(self, signum: int) -> None:
        """React as declared, or else as the kernel's default has it."""
        if signum in self.reactions:
            self.reactions[signum](self)
        elif signum in STOPPING:
            self.state = STOPPED
        elif signum not in IGNORED and self.pid != 1:  # init gets only what it asked for
            self.die()

    def _resume(self) -> None:
        """Go on after a stop with the signals that waited."""
        if self.state == STOPPED:
            self.state = RUNNING
            waiting, self.pending = self.pending, []
            for signum in waiting:
                self.receive(signum)

    def __repr__(self) -> str:
        return f"<{os.fsdecode(self.name)} {self.pid}, {self.state}>"


def comm(name: str | bytes) -> bytes:
    """Return a name as the kernel keeps it: 15 bytes (TASK_COMM_LEN)."""
    return os.fsencode(name)[:15]

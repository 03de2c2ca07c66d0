"""One declared process: its facts, and what becomes of it."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ssd.matching import Process
from ssd.testing import checking
from ssd.testing.combined import own
from ssd.testing.reactions import IGNORED as IGNORES
from ssd.testing.reactions import Reaction
from ssd.testing.record import signal_name

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
    ``status``, once it has ended, is its exit status, or minus the number of the signal
    that ended it. ``ready``: whether it has said so, to a start that waits for it. ``argv``,
    ``exe``, ``uid``, ``ppid`` and ``reactions`` may be set, and ``dumpable`` to False: then only
    root knows its executable and, with hidepid, sees it (prctl(2); ssh-agent is one).
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
        self.reactions = _own(reactions)
        self.reaped_after = reaped_after
        self.dumpable = True
        self.orphaned = False  # then it is init's to reap
        if reaped_after is not None:
            checking.seconds(reaped_after, "reaped_after")
        checking.pid(identity.pid)
        self.state = RUNNING
        self.status: int | None = None
        self.ready = False
        self.pending: list[int] = []
        self._put_off: list[Callable[[], object]] = []
        self.received = 0
        self._taking = 0

    @property
    def pid(self) -> int:
        """The pid, also when it is gone and somebody else's."""
        return self.identity.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended; a zombie has."""
        return self.state in (ZOMBIE, GONE)

    @property
    def signals(self) -> list[tuple[float, int]]:
        """The signals that reached it, oldest first: (time, signal number)."""
        return [(each.time, each.signum) for each in self.table.signals if each.process is self]

    def file(self) -> tuple[int, int] | None:
        """Return device and inode of the executable: of what has its path now."""
        if self.exe is None or isinstance(self.exe, tuple):
            return self.exe
        try:
            return self.table.executable(self.exe)
        except OSError:  # a path that was put here without a word to the table
            return None

    def receive(self, signum: int) -> None:
        """Take a signal now, or after SIGCONT if it is stopped."""
        if self.state == STOPPED and signum not in (signal.SIGKILL, signal.SIGCONT):
            if signum not in STOPPING and signum not in self.pending:  # as CONT takes back a stop
                self.pending.append(signum)
            return
        if signum == signal.SIGCONT:
            self._resume()
        if not self.ended:
            self._take(signum)

    def after(self, seconds: float, reaction: Reaction) -> None:
        """Have it do something (``ssd.testing.reactions``) later, unless it has ended by then.

        If it is stopped by then it does it when it goes on, as with a timer that has run out.
        """
        checking.reaction(reaction)
        self.table.clock.after(seconds, lambda: self._do(lambda: reaction(self)))

    def die(self, after: float = 0.0, status: int | None = None) -> None:
        """End, at once or after some seconds; then be a zombie until the parent reaps.

        What is to end it later waits, as in ``after``, while it is stopped.

        ``status``: as the attribute; unless given that of the signal it is taking, else 0.
        """
        outcome = -self._taking if status is None else status
        if checking.seconds(after, "after") > 0:
            self.table.clock.after(after, lambda: self._do(lambda: self.die(status=outcome)))
            return
        with self.table.lock:
            if not self.ended:
                self.status = outcome
                self.state = ZOMBIE
                cause = f"of {signal_name(-outcome)}" if outcome < 0 else f"with status {outcome}"
                self.table.note(self, f"ends {cause}")
                self.table.bury(self)

    def reap(self) -> None:
        """Leave the table: the parent has waited for it. Raises ValueError if it lives."""
        with self.table.lock:
            if not self.ended:
                raise ValueError(f"{self} has not ended")
            if self.state == ZOMBIE:
                self.state = GONE
                self.table.note(self, f"is reaped by {self.ppid}")
                self.table.forget(self)

    def rename(self, name: str | bytes) -> None:
        """Take another name, cut to 15 bytes like the kernel's. Raises ValueError once ended."""
        self._lives()
        self.table.note(self, f"takes the name {os.fsdecode(comm(name))}")
        self.name = comm(name)

    def execute(self, exe: str | os.PathLike[str], *arguments: str) -> None:
        """Run another program: executable, arguments and name change, the identity stays.

        What was ignored stays ignored, all else is taken by the kernel's defaults: execve(2).
        A registered program brings its reactions, and does what it does at first. Raises
        ValueError if it has ended.
        """
        self._lives()
        self.argv = [os.fspath(exe), *arguments]
        self.table.note(self, f"executes {' '.join(self.argv)}")
        self.reactions = {n: each for n, each in self.reactions.items() if each is IGNORES}
        program = self.table.programs.get(exe)
        if program is None:
            self.exe, self.name = exe, comm(os.path.basename(exe))
            self.table.files.declare(exe)
        else:
            self.exe, self.name = program.exe, comm(program.name)
            self.reactions.update(_own(program.reactions))
            program.run(self)

    def fork(self, **facts: Any) -> "FakeProcess":
        """Make a child like this process but for ``facts``; see ``FakeProcesses.add``.

        Raises ValueError if it has ended.
        """
        self._lives()
        copied = ("name", "argv", "exe", "uid", "reactions", "reaped_after")
        likeness = {fact: getattr(self, fact) for fact in copied}
        return self.table.add(**{**likeness, "ppid": self.pid, **facts})

    def manner(self, signum: int) -> str:
        """Return in a word what a signal does to it now."""
        if self.state == STOPPED and signum not in (signal.SIGKILL, signal.SIGCONT):
            return "waits, as it is stopped"
        if signum in self.reactions:
            return str(getattr(self.reactions[signum], "words", "is taken"))
        if signum in STOPPING:
            return "stops it"
        if signum in IGNORED or self.pid == 1:
            return "does nothing"
        return "ends it"

    def _take(self, signum: int) -> None:
        """React as declared, or else as the kernel's default has it."""
        before, self._taking = self._taking, signum
        try:
            if signum in self.reactions:
                self._react(signum)
            elif signum in STOPPING:
                self.state = STOPPED
            elif signum not in IGNORED and self.pid != 1:  # init gets only what it asked for
                self.die()
        finally:
            self._taking = before

    def _react(self, signum: int) -> None:
        """Do what is declared. Raises RuntimeError where that fails like a system call.

        Whoever has sent the signal would take an OSError for that of kill(2).
        """
        try:
            self.reactions[signum](self)
        except OSError as error:
            what = f"what {self} does on {signal_name(signum)}"
            raise RuntimeError(f"{what} has failed: {error!r}") from error

    def _resume(self) -> None:
        """Go on after a stop with the signals that waited."""
        if self.state == STOPPED:
            self.state = RUNNING
            waiting, self.pending = self.pending, []
            for signum in sorted(waiting):  # the lowest first: signal(7)
                self.receive(signum)
            late, self._put_off = self._put_off, []
            for action in late:
                self._do(action)

    def _do(self, action: Callable[[], object]) -> None:
        """Do what its time has come for, once it goes on if it is stopped; the dead do nothing."""
        if self.state == STOPPED:
            self._put_off.append(action)
        elif not self.ended:
            action()

    def _lives(self) -> None:
        """Raise ValueError if it has ended: the dead do nothing any more."""
        if self.ended:
            raise ValueError(f"{self} has ended")

    def __repr__(self) -> str:
        return f"<{os.fsdecode(self.name)} {self.pid}, {self.state}>"


def _own(reactions: Mapping[int, Reaction]) -> dict[int, Reaction]:
    """Return reactions that are one process's. Raises TypeError for what are none."""
    return {signum: own(each) for signum, each in checking.reactions(reactions).items()}


def comm(name: str | bytes) -> bytes:
    """Return a name as the kernel keeps it: 15 bytes (TASK_COMM_LEN)."""
    return os.fsencode(name)[:15]

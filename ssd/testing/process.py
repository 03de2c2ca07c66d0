"""One declared process: its facts, how it takes signals, and the machine that it runs on."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from ssd.matching import Process
from ssd.processes.contract import ProcessTable
from ssd.starting.command import Command
from ssd.testing.clock import FakeClock, Waiters, seconds_of

Function = TypeVar("Function", bound=Callable[..., object])
Reaction = Callable[["FakeProcess"], object]
Executable = str | bytes | os.PathLike[str] | tuple[int, int] | None

# signal(7): these do not end a process by default.
HARMLESS = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

MAKERS = "ssd.testing.reactions"  # the module whose functions make reactions
RUNNING, STOPPED, ZOMBIE, GONE = "running", "stopped", "zombie", "gone"
# running <-> stopped: STOP, CONT     running | stopped -> zombie: die     zombie -> gone: reap


class Sent(NamedTuple):
    """A signal that reached a process: time, pid, signal number, and the process."""

    time: float
    pid: int
    signum: int
    process: "FakeProcess"


class Machine(ProcessTable, Protocol):
    """The members of FakeProcesses that a declared process, its handle and its start use."""

    clock: FakeClock
    waiters: Waiters
    signals: list[Sent]
    started: "list[FakeProcess]"
    caller: "FakeProcess"

    @property
    def caller_uid(self) -> int:
        """The uid with which the caller looks and signals."""

    @property
    def add(self) -> "Callable[..., FakeProcess]":
        """Declare a process; see ``FakeProcesses.add``."""

    def load(self, process: "FakeProcess", exe: str | os.PathLike[str]) -> None:
        """Have a process run another program, with its executable, name and reactions."""

    def bury(self, process: "FakeProcess") -> None:
        """Do what follows a death: orphans go to init, the parent reaps."""

    def forget(self, process: "FakeProcess") -> None:
        """Take a reaped process off the table; its pid is free."""

    def may_signal(self, process: "FakeProcess") -> bool:
        """Say whether the caller may: root, or the same user (kill(2))."""

    def note(self, process: "FakeProcess", what: str) -> None:
        """Put into the record what happens to a process."""

    def timeline(self, last: int | None = None) -> str:
        """Draw the record; see ``FakeProcesses.timeline``."""


class FakeProcess:
    """A process on a FakeProcesses table. ``FakeProcesses.add`` makes it and explains its facts.

    ``state`` is "running", "stopped" (signals except KILL and CONT wait), "zombie" or "gone".
    ``status``, once it has ended, is its exit status, or minus the number of the signal that
    ended it. ``ready`` is True after READY=1. ``argv``, ``exe``, ``uid``, ``ppid``, ``group``,
    ``session``, ``environment`` and ``reactions`` may be set. So may ``dumpable``: if it is False,
    only root can read the executable and environment and, with hidepid, see the process (prctl(2);
    ssh-agent does so). A ``subreaper`` becomes the parent of orphans below it (prctl(2)). A
    ``contained`` process is in another PID namespace, below the machine's. Relative words of
    ``argv`` begin at its working ``directory``.
    ``command`` is the Command that a start made it of, None without one.
    """

    def __init__(
        self,
        table: Machine,
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
        self.reactions = own_all(reactions)
        self.reaped_after = reaped_after
        self.dumpable = True
        self.orphaned = False  # if True, init reaps it
        self.group = self.session = identity.pid
        self.environment: dict[str, str] = {}
        self.subreaper = False
        self.command: Command | None = None
        self.contained = False
        self.directory = "/"
        if reaped_after is not None:
            seconds_of(reaped_after, "reaped_after")
        if not isinstance(identity.pid, int) or identity.pid < 1:
            raise ValueError(f"{identity.pid!r} cannot be a pid")
        self.state = RUNNING
        self.status: int | None = None
        self.ready = False
        self.unheard: list[bytes] = []  # notifications that nobody has received yet
        self.pending: list[int] = []
        self._put_off: list[Callable[[], object]] = []
        self.received = 0
        self._taking = 0

    @property
    def pid(self) -> int:
        """The pid, also after another process has got it."""
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
        """Return device and inode of the file that has the executable's path now."""
        if self.exe is None or isinstance(self.exe, tuple):
            return self.exe
        try:
            return self.table.executable(self.exe)
        except OSError:  # a path that was set here and is not known to the table
            return None

    def receive(self, signum: int) -> None:
        """Take a signal now, or after SIGCONT if it is stopped."""
        if self.state == STOPPED and signum not in (signal.SIGKILL, signal.SIGCONT):
            if signum not in STOPPING and signum not in self.pending:  # CONT would undo a stop
                self.pending.append(signum)
            return
        if signum == signal.SIGCONT:
            self._resume()
        if not self.ended:
            self._take(signum)

    def after(self, seconds: float, reaction: Reaction) -> None:
        """Run a reaction (``ssd.testing.reactions``) later, unless the process has ended by then.

        If it is stopped then, the reaction runs when it continues, as with an expired timer.
        """
        checked(reaction)
        self.table.clock.after(seconds, lambda: self._do(lambda: reaction(self)))

    def die(self, after: float = 0.0, status: int | None = None) -> None:
        """End, at once or after some seconds, and stay a zombie until the parent reaps.

        A later end is put off while the process is stopped, as in ``after``.

        ``status`` is the attribute; unless given, that of the signal being taken, else 0.
        """
        outcome = -self._taking if status is None else status
        if seconds_of(after, "after") > 0:
            self.table.clock.after(after, lambda: self._do(lambda: self.die(status=outcome)))
            return
        with self.table.clock.lock:
            if not self.ended:
                self.status = outcome
                self.state = ZOMBIE
                cause = f"of {signal_name(-outcome)}" if outcome < 0 else f"with status {outcome}"
                self.table.note(self, f"ends {cause}")
                self.table.bury(self)

    def reap(self) -> None:
        """Leave the table: the parent has waited for it. Raises ValueError if it lives."""
        with self.table.clock.lock:
            if not self.ended:
                raise ValueError(f"{self} has not ended")
            if self.state == ZOMBIE:
                self.state = GONE
                self.table.note(self, f"is reaped by {self.ppid}")
                self.table.forget(self)

    def rename(self, name: str | bytes) -> None:
        """Take another name, cut to 15 bytes as by the kernel. Raises ValueError if ended."""
        self._lives()
        self.table.note(self, f"takes the name {os.fsdecode(comm(name))}")
        self.name = comm(name)

    def execute(self, exe: str | os.PathLike[str], *arguments: str) -> None:
        """Run another program: executable, arguments and name change, the identity stays.

        Ignored signals stay ignored, all others have the kernel's defaults (execve(2)). A
        registered program brings its reactions and its ``runs``. Raises ValueError if the process
        has ended.
        """
        self._lives()
        self.argv = [os.fspath(exe), *arguments]
        self.table.note(self, f"executes {' '.join(self.argv)}")
        self.reactions = {n: each for n, each in self.reactions.items() if each is IGNORED}
        self.table.load(self, exe)

    def fork(self, **facts: Any) -> "FakeProcess":
        """Make a child like this process but for ``facts``; see ``FakeProcesses.add``.

        Raises ValueError if it has ended.
        """
        self._lives()
        copied = (
            "name", "argv", "exe", "uid", "reactions", "reaped_after",
            "environment", "group", "session",
        )  # fmt: skip
        likeness = {fact: getattr(self, fact) for fact in copied}
        child = self.table.add(**{**likeness, "ppid": self.pid, **facts})
        child.contained, child.directory = self.contained, self.directory
        return child

    def lead(self) -> None:
        """Make a session and a process group of its own: setsid(2). Raises ValueError if ended."""
        self._lives()
        self.table.note(self, "leads a session of its own")
        self.group = self.session = self.pid

    def notify(self, text: str) -> None:
        """Send a message of sd_notify(3), such as ``READY=1``. Raises ValueError if ended."""
        self._lives()
        self.table.note(self, f"says {text}")
        self.unheard.append(os.fsencode(text))
        self.ready = self.ready or "READY=1" in text.split("\n")

    def manner(self, signum: int) -> str:
        """Return in a few words what a signal does to it now."""
        if self.state == STOPPED and signum not in (signal.SIGKILL, signal.SIGCONT):
            return "waits, as it is stopped"
        if signum in self.reactions:
            return str(getattr(self.reactions[signum], "words", "is taken"))
        if signum in STOPPING:
            return "stops it"
        if signum in HARMLESS or self.pid == 1:
            return "does nothing"
        return "ends it"

    def _take(self, signum: int) -> None:
        """React as declared, or else as the kernel does by default."""
        before, self._taking = self._taking, signum
        try:
            if signum in self.reactions:
                self._react(signum)
            elif signum in STOPPING:
                self.state = STOPPED
            elif signum not in HARMLESS and self.pid != 1:  # init gets only signals that it handles
                self.die()
        finally:
            self._taking = before

    def _react(self, signum: int) -> None:
        """Run the declared reaction. Raises RuntimeError in place of an OSError.

        The sender of the signal would take an OSError for one of kill(2).
        """
        try:
            self.reactions[signum](self)
        except OSError as error:
            name = signal_name(signum)
            raise RuntimeError(f"the reaction of {self} to {name} failed: {error!r}") from error

    def _resume(self) -> None:
        """Continue after a stop, with the signals and actions that waited."""
        if self.state == STOPPED:
            self.state = RUNNING
            waiting, self.pending = self.pending, []
            for signum in sorted(waiting):  # the lowest first: signal(7)
                self.receive(signum)
            late, self._put_off = self._put_off, []
            for action in late:
                self._do(action)

    def _do(self, action: Callable[[], object]) -> None:
        """Run an action: after SIGCONT if the process is stopped, never if it has ended."""
        if self.state == STOPPED:
            self._put_off.append(action)
        elif not self.ended:
            action()

    def _lives(self) -> None:
        """Raise ValueError if it has ended."""
        if self.ended:
            raise ValueError(f"{self} has ended")

    def __repr__(self) -> str:
        return f"<{os.fsdecode(self.name)} {self.pid}, {self.state}>"


class Combined:
    """Several reactions as one."""

    def __init__(self, reactions: Sequence[Reaction]) -> None:
        self.reactions = reactions

    def __call__(self, process: FakeProcess) -> None:
        """Take a signal."""
        raise NotImplementedError

    def own(self) -> Self:
        """Return the same for another process, which counts for itself."""
        return type(self)([own(each) for each in self.reactions])


def named(words: str, reaction: Reaction) -> Reaction:
    """Give a reaction its words in the timeline."""

    def react(process: FakeProcess) -> object:
        return reaction(process)

    react.words = words  # type: ignore[attr-defined]
    return react


IGNORED = named("is ignored", lambda process: None)


def own(reaction: Reaction) -> Reaction:
    """Return a reaction for one process alone."""
    return reaction.own() if isinstance(reaction, Combined) else reaction


def own_all(reactions: Mapping[int, Reaction]) -> dict[int, Reaction]:
    """Return reactions for one process alone. Raises TypeError for any other value."""
    return {signum: own(each) for signum, each in checked_all(reactions).items()}


def checked(reaction: Function) -> Function:
    """Return a reaction. Raises TypeError for ``dies`` where ``dies()`` is meant."""
    if not callable(reaction):
        raise TypeError(f"a reaction is a function of the process, not {reaction!r}")
    name = getattr(reaction, "__name__", "")
    if getattr(reaction, "__module__", "") == MAKERS and not hasattr(reaction, "words"):
        raise TypeError(f"{name} makes a reaction: call it, {name}(...)")
    return reaction


def checked_all(reactions: Mapping[int, Function]) -> dict[int, Function]:
    """Return a copy. Raises TypeError unless all are reactions by a signal's number."""
    for signum in reactions:
        if not isinstance(signum, int):
            raise TypeError(f"reactions are by signal number (signal.SIGTERM), not {signum!r}")
    return {signum: checked(each) for signum, each in reactions.items()}


def signal_name(signum: int) -> str:
    """Return the name of a signal, its number where it has none."""
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"


def comm(name: str | bytes) -> bytes:
    """Return a name as the kernel stores it: 15 bytes (TASK_COMM_LEN)."""
    return os.fsencode(name)[:15]

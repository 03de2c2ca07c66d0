"""The programs of a fake machine: what becomes of a process that executes one."""

import os
from collections.abc import Mapping

from ssd.errors import StartFailed
from ssd.testing import checking
from ssd.testing.process import Executable, FakeProcess
from ssd.testing.reactions import Reaction

Path = str | bytes | os.PathLike[str]


class NotRegistered(KeyError):
    """A test asked for what it has not declared; the text says what there is."""

    def __str__(self) -> str:  # KeyError's would be in quotes
        return str(self.args[0])


class Program:
    """What a process is like that executes a path; see ``FakeProcesses.register``.

    ``processes`` are those that have executed it, oldest first.
    """

    def __init__(
        self,
        path: str,
        name: str | bytes | None = None,
        exe: Executable = None,
        reactions: Mapping[int, Reaction] | None = None,
        runs: Reaction | None = None,
        ready_after: float | None = None,
        fails: int | StartFailed = 0,
    ) -> None:
        self.path = path
        self.name = os.path.basename(path) if name is None else name
        self.exe = path if exe is None else exe
        self.reactions = checking.reactions(reactions or {})
        self.runs = runs if runs is None else checking.reaction(runs)
        self.ready_after = ready_after
        if ready_after is not None:
            checking.seconds(ready_after, "ready_after")
        self.fails = fails
        self.processes: list[FakeProcess] = []

    def run(self, process: FakeProcess) -> None:
        """Have a process do what the program does at first."""
        self.processes.append(process)
        if self.ready_after is not None:
            process.after(self.ready_after, _say_ready)
        if self.runs is not None:
            self.runs(process)

    def __repr__(self) -> str:
        return f"<Program {self.path}, executed {len(self.processes)} times>"


class Programs:
    """All programs of a machine, by their paths."""

    def __init__(self) -> None:
        self._known: dict[str, Program] = {}
        self.allow_unregistered = False

    def add(self, program: Program) -> Program:
        """Register a program, in place of an older one of the same path."""
        self._known[program.path] = program
        return program

    def get(self, path: Path) -> Program | None:
        """Return the program of a path if it is registered."""
        return self._known.get(os.fsdecode(path))

    def find(self, path: Path) -> Program:
        """Return the program of a path. Raises NotRegistered, which names those that are."""
        name = os.fsdecode(path)
        if name not in self._known:
            if not self.allow_unregistered:
                raise NotRegistered(self.advice(path))
            self.add(Program(name))
        return self._known[name]

    def advice(self, path: Path) -> str:
        """Return what to do about a path that is not registered, and what is."""
        name, there = os.fsdecode(path), ", ".join(sorted(self._known)) or "nothing"
        return (
            f"nothing is registered for {name!r}; registered: {there}. "
            f"Declare it with register({name!r}), or any by allow_unregistered()."
        )


class Files:
    """The executables of a machine: those of the disk, and those that were declared."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def declare(self, exe: Executable) -> None:
        """Have an executable on this machine, whether or not a disk has it."""
        if exe is not None and not isinstance(exe, tuple):
            self._numbers.setdefault(os.path.normpath(os.fsdecode(exe)), len(self._numbers) + 1)

    def find(self, path: Path) -> tuple[int, int]:
        """Return device and inode; see ``FakeProcesses.executable``."""
        try:
            facts = os.stat(path)
        except OSError:
            number = self._numbers.get(os.path.normpath(os.fsdecode(path)))
            if number is None:
                raise
            return 0, number
        return facts.st_dev, facts.st_ino


def _say_ready(process: FakeProcess) -> None:
    process.ready = True
    process.table.note(process, "says READY=1")

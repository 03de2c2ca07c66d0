"""What one declared process is, for the rare criteria (``ssd.evidence``)."""

import errno
import os
from typing import Protocol

from ssd.testing.process import FakeProcess, Machine
from ssd.testing.programs import Programs


class LookingMachine(Machine, Protocol):
    """The members of FakeProcesses that these facts use."""

    programs: Programs

    def may_trace(self, process: FakeProcess) -> bool:
        """Say whether the caller may read all of a process."""


class FakeFacts:
    """The facts of one process; see ``ssd.evidence.Facts``.

    wanted: device and inode of the file that is asked for.
    """

    def __init__(
        self, table: LookingMachine, process: FakeProcess, wanted: tuple[int, int] | None
    ) -> None:
        self._table = table
        self._process = process
        self._wanted = wanted

    def runs(self, file: tuple[int, int]) -> bool:
        """Say whether the process runs an executable."""
        self._readable()
        return self._process.file() == file

    def path(self) -> bytes:
        """Return the path of the executable; empty if only its numbers are declared."""
        self._readable()
        exe = self._process.exe
        return b"" if exe is None or isinstance(exe, tuple) else os.fsencode(exe)

    def name(self) -> bytes:
        """Return the kernel's name."""
        return self._process.name

    def words(self) -> list[bytes]:
        """Return the command line."""
        return [os.fsencode(word) for word in self._process.argv]

    def files(self, word: bytes) -> list[tuple[int, int]]:
        """Return the file that the process may mean by a word, as a list of at most one."""
        self._readable()
        return self._found(os.path.join(os.fsencode(self._process.directory), word))

    def claimed(self, word: bytes) -> list[tuple[int, int]]:
        """Return the file that has the path of a word for the caller."""
        return self._found(word) if word.startswith(b"/") else []

    def shebang(self, line: bytes) -> bytes:
        """Return the line of a file on disk, or that of the registered program."""
        return line or next(
            (
                b"#!" + os.fsencode(program.interpreter)
                for program in self._table.programs.all()
                if program.interpreter is not None and self._wanted in self._found(program.path)
            ),
            b"",
        )

    def is_neighbour(self) -> bool:
        """Say whether the process is in the machine's own PID namespace."""
        return not self._process.contained

    def _readable(self) -> None:
        """Raise PermissionError unless the caller may read the executable."""
        if self._process.exe is None or not self._table.may_trace(self._process):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _found(self, path: str | bytes) -> list[tuple[int, int]]:
        try:
            return [self._table.executable(path)]
        except OSError:  # neither declared nor on disk
            return []

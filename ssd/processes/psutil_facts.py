"""What one process is, by psutil, for the rare criteria (``ssd.evidence``) where there is no /proc.

A relative script begins at the working directory of its process. Root directories are not looked
at: psutil does not know them. Every process is in the caller's PID namespace: only Linux has them.
"""

import errno
import os

import psutil

from ssd.errors import EXHAUSTED
from ssd.processes.psutil_errors import asked, of_the_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Fact = TypeVar("Fact", bytes, list[bytes])


class PsutilFacts:
    """The facts of one process; see ``ssd.evidence.Facts``.

    What psutil leaves empty is unknown: a PermissionError. That may also be a thread of the
    kernel, which no criteria mean.

    strict: the process without psutil's guesses (``portable.Facts``).
    """

    __slots__ = ("_strict", "_process")

    def __init__(self, strict: psutil.Process) -> None:
        self._strict = strict
        self._process = psutil.Process(strict.pid)

    def runs(self, file: tuple[int, int]) -> bool:
        """Say whether the process runs an executable."""
        return runs_path(self.path(), file)

    def path(self) -> bytes:
        """Return the path of the executable."""
        return _known(os.fsencode(asked(self._strict.exe) or ""), "executable")

    def name(self) -> bytes:
        """Return the kernel's name."""
        return _known(os.fsencode(asked(self._strict.name) or ""), "name")

    def words(self) -> list[bytes]:
        """Return the command line."""
        return _known([os.fsencode(word) for word in asked(self._process.cmdline)], "command line")

    def files(self, word: bytes) -> list[tuple[int, int]]:
        """Return the file that the process may mean by a word, as a list of at most one."""
        if not word.startswith(b"/"):
            here = os.fsencode(asked(self._process.cwd) or "")
            word = _known(here, "working directory") + b"/" + word
        return _files(word)

    def claimed(self, word: bytes) -> list[tuple[int, int]]:
        """Return the file that has the path of a word for the caller."""
        return _files(word) if word.startswith(b"/") else []

    def shebang(self, line: bytes) -> bytes:
        """Return the line: files are on disk."""
        return line

    def is_neighbour(self) -> bool:
        """Return True: there are no PID namespaces."""
        return True


def runs_path(path: bytes, file: tuple[int, int]) -> bool:
    """Say whether the executable at a path is a file.

    Raises PermissionError if the path is unknown (empty) or cannot be looked up.
    """
    try:
        facts = os.stat(_known(path, "executable"))
    except (FileNotFoundError, NotADirectoryError):  # no file has that name any more
        return False
    except OSError as error:
        raise of_the_system(error) from error
    return (facts.st_dev, facts.st_ino) == file


def _known(fact: "Fact", what: str) -> "Fact":
    """Return a fact. Raises PermissionError if it is empty."""
    if not fact:
        raise PermissionError(errno.EACCES, f"psutil knows no {what}")
    return fact


def _files(path: bytes) -> list[tuple[int, int]]:
    """Return device and inode of the file at a path, as a list of at most one."""
    try:
        facts = os.stat(path)
    except OSError as error:  # no file has that path, or the caller may not search a directory
        if error.errno in EXHAUSTED:
            raise of_the_system(error) from error
        return []
    return [(facts.st_dev, facts.st_ino)]

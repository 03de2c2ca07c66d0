"""What one process is, by psutil, for the rare criteria (``ssd.evidence``) where there is no /proc.

A relative script begins at the working directory of its process. Root directories are not looked
at: psutil does not know them. Every process is in the caller's PID namespace: only Linux has them.
"""

import errno
import os

import psutil

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Answer = TypeVar("Answer")


class PsutilFacts:
    """The facts of one process; see ``ssd.evidence.Facts``.

    strict: the process without psutil's guesses (``portable.Facts``).
    """

    __slots__ = ("_strict", "_process")

    def __init__(self, strict: psutil.Process) -> None:
        self._strict = strict
        self._process = psutil.Process(strict.pid)

    def runs(self, file: tuple[int, int]) -> bool:
        """Say whether the process runs an executable."""
        return file in _files(self.path())

    def path(self) -> bytes:
        """Return the path of the executable; empty if it has none."""
        return os.fsencode(_asked(self._strict.exe))

    def name(self) -> bytes:
        """Return the kernel's name."""
        return os.fsencode(_asked(self._strict.name))

    def words(self) -> list[bytes]:
        """Return the command line."""
        return [os.fsencode(word) for word in _asked(self._process.cmdline)]

    def files(self, word: bytes) -> list[tuple[int, int]]:
        """Return the file that the process may mean by a word, as a list of at most one."""
        if not word.startswith(b"/"):
            word = os.fsencode(_asked(self._process.cwd)) + b"/" + word
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


def _asked(question: "Callable[[], Answer]") -> "Answer":
    """Ask psutil; raise the system's own errors in place of psutil's."""
    try:
        return question()
    except psutil.AccessDenied as error:
        raise PermissionError(errno.EACCES, str(error)) from error
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(errno.ESRCH, str(error)) from error


def _files(path: bytes) -> list[tuple[int, int]]:
    """Return device and inode of the file at a path, as a list of at most one."""
    try:
        facts = os.stat(path)
    except OSError:  # no file has that path, or the caller may not search a directory
        return []
    return [(facts.st_dev, facts.st_ino)]

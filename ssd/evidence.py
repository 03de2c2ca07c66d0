"""The criteria that few looks have, and on what a process meets them.

``--interpreted`` knows a script by the words of its interpreter; ``--same-namespace`` leaves out
the processes of containers. Pure: a ``Facts`` says what one process is.
"""

import os

from ssd import interpreters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from ssd.matching import Criteria, Match, Process

    class Holding(Protocol):
        """What ``kind_of`` needs of a process table."""

        def holds(self, criteria: Criteria, process: Process) -> bool:
            """Say whether the process lives and meets the criteria."""

    class Facts(Protocol):
        """One process. Each member may raise PermissionError, or another of errors.VANISHED."""

        def runs(self, file: tuple[int, int]) -> bool:
            """Say whether the process runs an executable, by device and inode."""

        def path(self) -> bytes:
            """Return the path of the executable, or its name; empty of a thread of the kernel."""

        def name(self) -> bytes:
            """Return the kernel's name (comm)."""

        def words(self) -> list[bytes]:
            """Return the command line, which everyone may read."""

        def files(self, word: bytes) -> Iterable[tuple[int, int]]:
            """Return the files that the process may mean by a word, by device and inode."""

        def claimed(self, word: bytes) -> Iterable[tuple[int, int]]:
            """Return the same without a look at what the process sees: the caller may not."""

        def shebang(self, line: bytes) -> bytes:
            """Return the #! line of the wanted script; ``line`` is the beginning of its file."""

        def is_neighbour(self) -> bool:
            """Say whether the process is in the caller's own PID namespace."""


EXECUTABLE, SCRIPT, COMMAND_LINE, KERNEL_NAME = "executable", "script", "command line", "name"
EVIDENCE = (EXECUTABLE, SCRIPT, COMMAND_LINE, KERNEL_NAME)
LINE_SIZE = 256  # bytes of a #! line that the kernel reads: BINPRM_BUF_SIZE, linux/binfmts.h


class More:
    """The rare part of Criteria.

    interpreted: whether file and name of the Criteria may be those of a script.
    same_namespace: whether the process must be in the caller's own PID namespace.
    line: the first bytes of the file. only: the one kind of EVIDENCE that counts; None: each.
    """

    __slots__ = ("interpreted", "same_namespace", "line", "only")

    def __init__(
        self,
        interpreted: bool = False,
        same_namespace: bool = False,
        line: bytes = b"",
        only: str | None = None,
    ) -> None:
        self.interpreted: bool = interpreted
        self.same_namespace: bool = same_namespace
        self.line: bytes = line
        self.only: str | None = only

    def __repr__(self) -> str:
        given = [name for name in ("interpreted", "same_namespace") if getattr(self, name)]
        return f"{type(self).__name__}({', '.join(f'{name}=True' for name in given)})"


def more_of(match: "Match") -> More:
    """Return the rare part of the criteria of a Match. Reads the beginning of its ``exec``."""
    line = b""
    if match.interpreted and match.exec is not None:
        line = _first_bytes(match.exec)
    return More(match.interpreted, match.same_namespace, line)


def _first_bytes(path: str | bytes) -> bytes:
    """Return the beginning of a file, where a #! line is; empty if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # its interpreter must be a known one then
        return b""
    try:
        return os.read(fd, LINE_SIZE)
    except OSError:  # a directory, which Python can run
        return b""
    finally:
        os.close(fd)


def kind_of(criteria: "Criteria", process: "Process", table: "Holding") -> str | None:
    """Return which kind of EVIDENCE a process of a table gives for interpreted criteria.

    None if it does not meet them any more.
    """
    more = More() if criteria.more is None else criteria.more
    asked = criteria.replace(process.pid)
    for kind in EVIDENCE:
        asked.more = More(True, more.same_namespace, more.line, kind)
        if table.holds(asked, process):
            return kind
    return None


def meets(criteria: "Criteria", facts: "Facts") -> bool:
    """Say whether a process meets file, name and ``more`` of the criteria.

    Raises VANISHED (``ssd.errors``) if that cannot be read.
    """
    more = criteria.more
    assert more is not None
    evidence = evidence_of(criteria, facts) if more.interpreted else _plain(criteria, facts)
    if evidence is None or more.only not in (None, evidence):
        return False
    return not more.same_namespace or facts.is_neighbour()


def _plain(criteria: "Criteria", facts: "Facts") -> str | None:
    """Do what ``evidence_of`` does for criteria that ask for no script."""
    if criteria.name is not None and facts.name() != criteria.name:
        return None
    return EXECUTABLE if criteria.file is None or facts.runs(criteria.file) else None


def evidence_of(criteria: "Criteria", facts: "Facts") -> str | None:
    """Return on what a process counts as the program that is asked for; None if it does not.

    | evidence | the process counts because |
    |---|---|
    | "executable" | it runs the file itself |
    | "script" | its executable is an interpreter whose command line names the file |
    | "command line" | its executable cannot be read, and its command line names the file; or its \
name is only there |
    | "name" | it has that name for the kernel, and no file is asked for |

    Raises VANISHED if the file cannot be told from another one.
    """
    found = None
    if criteria.name is not None:
        found = _by_name(criteria.name, facts)
        if found is None:
            return None
    return found if criteria.file is None else _by_file(criteria, criteria.file, facts)


def _by_file(criteria: "Criteria", file: tuple[int, int], facts: "Facts") -> str | None:
    """Return on what a process counts as one that runs a file."""
    try:
        if facts.runs(file):
            return EXECUTABLE
        interpreter = _interpreter(criteria, facts)
        if interpreter is None:
            return None
        found = interpreters.program(facts.words(), interpreter)
        if found is None or found[0] != interpreters.FILE or file not in facts.files(found[1]):
            return None
        # The process may have executed something else between the two readings.
        return SCRIPT if _interpreter(criteria, facts) == interpreter else None
    except PermissionError:
        if _claims(criteria, file, facts):
            return COMMAND_LINE
        raise


def _interpreter(criteria: "Criteria", facts: "Facts") -> bytes | None:
    """Return the path or name of the interpreter that a process runs, None if it runs none.

    It is a known one, or the one that the wanted script names: by its file, or by its name if
    env(1) looks for that. The name decides how its options are read.
    """
    path = facts.path()
    if interpreters.family(path) is not None:
        return path
    wanted, by_env = _shebang(criteria, facts)
    if by_env is not None:
        words = facts.words()
        names = (interpreters.basename(path), interpreters.basename(words[0] if words else b""))
        return by_env if by_env and interpreters.basename(by_env) in names else None
    return wanted if wanted and any(map(facts.runs, facts.files(wanted))) else None


def _shebang(criteria: "Criteria", facts: "Facts") -> "tuple[bytes, bytes | None]":
    """Return what the wanted script names as its interpreter; see ``interpreters.shebang``."""
    assert criteria.more is not None
    return interpreters.shebang(facts.shebang(criteria.more.line))


def _claims(criteria: "Criteria", file: tuple[int, int], facts: "Facts") -> bool:
    """Say whether a command line names a file, as its program or as an interpreter's script."""
    words = facts.words()
    if not words:
        return False
    if file in facts.claimed(words[0]):
        return True
    name = words[0].removeprefix(b"-")  # of a login shell
    wanted, by_env = _shebang(criteria, facts)
    named = interpreters.basename(by_env if by_env is not None else wanted)
    if interpreters.family(name) is None and interpreters.basename(name) != named:
        return False
    found = interpreters.program(words, name)
    return found is not None and found[0] == interpreters.FILE and file in facts.claimed(found[1])


def _by_name(name: bytes, facts: "Facts") -> str | None:
    """Return on what a process counts as one with a name: the kernel's, or its program's."""
    if facts.name() == name:
        return KERNEL_NAME
    words = facts.words()
    if not words:
        return None
    if interpreters.basename(words[0]) == name:
        return COMMAND_LINE
    try:
        interpreter = facts.path()
    except PermissionError:
        interpreter = words[0].removeprefix(b"-")
    if interpreters.family(interpreter) is None:
        return None
    found = interpreters.program(words, interpreter)
    return COMMAND_LINE if found is not None and interpreters.own_name(found) == name else None

"""Find a program's processes by its path or name, as pidofproc does without a pidfile.

The original asks pidof(8) with -x. A path that exists means the processes that run that
file. Where there are none, and for a name alone, the kernel's name of the process (comm)
finds them and their command line confirms it: argv[0], or argv[1] of a script.
"""

import os
import sys

from ssd.errors import VANISHED, ExecutableMissing
from ssd.matching import Criteria, Match
from ssd.processes import default_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable

COMM_LENGTH = 15  # bytes that Linux keeps of a name, TASK_COMM_LEN less its NUL


def processes_of(
    program: str, omit: "Collection[int]" = (), table: "ProcessTable | None" = None
) -> "list[Process]":
    """Return a program's living processes, ascending by pid, without those to ``omit``.

    Neither this process nor, for root, one in another root directory is among them.
    Raises ProcessTableError.
    """
    table = table or default_table()
    path = os.fsencode(program)
    found = _running(path, table) or _named(path, table)
    elsewhere = table.launcher is not None  # on a machine of ssd.testing's, which has one root
    return [
        each for each in found if each.pid not in omit and (elsewhere or _shares_root(each.pid))
    ]


def comm_of(path: bytes) -> bytes:
    """Return what Linux keeps as the name of a process that executes this path."""
    return path.rpartition(b"/")[2][:COMM_LENGTH]


def means(program: bytes, argv: list[bytes]) -> bool:
    """Decide whether a process with the comm of ``program`` is one of its processes.

    A word of its command line, the first or (of a script) the second, is the program as it
    was asked for or its base name; or, where a bare name was asked for, has it as its base
    name. A first word with a space in it was made up by the process, as nginx does: then
    the comm is all there is to go by, and says nothing of a longer name.
    """
    base = program.rpartition(b"/")[2]
    if argv and b" " in argv[0]:
        return len(base) <= COMM_LENGTH
    names = (program, base)
    return any(word in names or word.rpartition(b"/")[2] == program for word in argv[:2])


def _running(path: bytes, table: "ProcessTable") -> "list[Process]":
    """Find the processes that run the file at an absolute path, if there is one."""
    if not path.startswith(b"/"):
        return []
    from ssd.finding import resolve  # a name alone needs none of it

    try:
        return table.select(resolve(Match(exec=path), table))
    except ExecutableMissing:  # not installed, or not for us to see: there is still the name
        return []


def _named(path: bytes, table: "ProcessTable") -> "list[Process]":
    """Find the processes whose comm and command line say that they are this program."""
    name = comm_of(path)
    if not name:
        return []
    criteria = Criteria(name=name)
    return [
        process
        for process in table.select(criteria)
        if means(path, table.command_line(process.pid)) and table.holds(criteria, process)
    ]


def _shares_root(pid: int) -> bool:
    """Tell whether a process has our root directory; who is not root cannot know (pidof -c)."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return True
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/root"), os.stat("/"))
    except VANISHED:
        return False

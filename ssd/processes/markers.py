"""Markers: entries of the environment (KEY=VALUE) that tell whose a process is.

A process inherits them, and keeps them when it leaves its session and its parent. A start with
``tree`` gives the program one of its own, SSD_TREE=PID:TOKEN:SUM. PID is the program's, SUM that
of its command line: so it counts for the stop of this process, or of the daemon that it has become
by fork(2), and not for that of another program which has inherited it.
"""

import os
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssd.matching import Process
    from ssd.processes.contract import Kinship, ProcessTable
    from ssd.processes.kin import Kin

VARIABLE = b"SSD_TREE"


def value(pid: int, argv: "Sequence[bytes]") -> bytes:
    """Return the value of a new marker for what will run as ``pid``; nobody can guess its token."""
    return b"%d:%s:%s" % (pid, os.urandom(8).hex().encode(), _sum(argv))


def is_own(entry: bytes, main: "Process", table: "ProcessTable") -> bool:
    """Say whether a main process, which has a marker, is what was marked, and no heir of it.

    A program that goes to the background by itself has another pid then. So the marker is also its
    own if the marked process has ended, the parent is not marked, and it has the command line of
    the start, at the end if that was a script's. What cannot be read decides against it.
    """
    pid, _, rest = entry.partition(b"=")[2].partition(b":")
    if pid == b"%d" % main.pid:
        return True
    kin = table.kin.of(main.pid)
    if kin is None or not pid.isdigit() or len(pid) > 10:
        return False
    marked = table.kin.of(int(pid))
    if marked is not None and marked.process.start_time <= main.start_time:
        return False  # a later one has got its pid anew
    above = table.kin.environment(kin.ppid)
    if entry in above or kin.ppid > 1 and not above:
        return False
    words, wanted = table.command_line(main.pid), rest.rpartition(b":")[2]
    return any(_sum(words[at:]) == wanted for at in range(len(words)))


def _sum(words: "Sequence[bytes]") -> bytes:
    return b"%08x" % crc32(b"\0".join(words))


class Markers:
    """The markers of one tree, ``entries``: whole, or with a colon at its end the beginning of one.

    ``known`` are those that it had before.
    """

    __slots__ = ("entries", "_kinship", "_missed", "_unmarked")

    def __init__(
        self, entries: "Iterable[bytes]", kinship: "Kinship", known: "Markers | None" = None
    ) -> None:
        self.entries: set[bytes] = {*entries, *(known.entries if known is not None else ())}
        self._kinship = kinship
        self._missed = False
        self._unmarked: set[Process] = set()

    def has(self, kin: "Kin") -> bool:
        """Say whether a process has one; it is asked once, and inherits it at fork(2)."""
        if kin.process in self._unmarked:
            return False
        there = self._kinship.environment(kin.process.pid)
        if not self.entries.isdisjoint(there):
            return True
        for begin in self.entries:
            if begin.endswith(b":") and any(entry.startswith(begin) for entry in there):
                return True
        if there:
            self._unmarked.add(kin.process)
        else:  # it has none while it executes a program
            self._missed = True
        return False

    def missed(self) -> bool:
        """Say whether a process could not be asked since this was called last."""
        missed, self._missed = self._missed, False
        return missed

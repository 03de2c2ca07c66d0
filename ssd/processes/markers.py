"""Markers: entries of the environment (KEY=VALUE) that tell whose a process is.

A process inherits them, and keeps them when it leaves its session and its parent. A start with
``tree`` gives the program one of its own, SSD_TREE=PID:TOKEN. PID is the program's: so it counts
for the stop of this process, and not for that of another which has inherited it. ``ssd.trees`` has
that rule.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Process
    from ssd.processes.contract import Kinship
    from ssd.processes.kin import Kin

VARIABLE = b"SSD_TREE"


def value(pid: int) -> bytes:
    """Return the value of a new marker for what will run as ``pid``; nobody can guess it."""
    return b"%d:%s" % (pid, os.urandom(8).hex().encode())


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

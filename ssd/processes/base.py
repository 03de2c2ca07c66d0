"""A process table that looks at one pid after the other: a base for tables."""

import os

from ssd.matching import Criteria

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ssd.matching import Process
    from ssd.processes.contract import Kinship, Launcher
    from ssd.processes.origin import Origin


class PidByPidTable:
    """The members of ``ProcessTable`` that follow from a list of pids and a look at each.

    A table derived from this defines ``pids``, ``_look``, ``open``, ``now`` and ``wait``. All
    other members have defaults: the caller is this process, executables are files on disk, and
    command lines and kinship come from /proc.
    """

    origin: "Origin | None" = None
    launcher: "Launcher[Any] | None" = None

    if TYPE_CHECKING:

        def pids(self) -> list[int]:
            """Return every pid that the caller may see, ascending."""

        def _look(self, pid: int, criteria: Criteria) -> Process | None:
            """Return the process if it lives and meets all criteria but ``pid``."""

    @property
    def kin(self) -> "Kinship":
        """Return what says who belongs to whom; see ``ProcessTable``."""
        from ssd.processes.kin import KernelKinship
        from ssd.processes.linux import parse

        return KernelKinship(b"/proc", parse)

    def own_pid(self) -> int:
        """Return the pid of the caller, which is never selected."""
        return os.getpid()

    def executable(self, path: "str | bytes | os.PathLike[str]") -> tuple[int, int]:
        """Return device and inode of an executable. Raises OSError if there is none."""
        facts = os.stat(path)
        return facts.st_dev, facts.st_ino

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none if it has ended."""
        from ssd.processes.scan import command_line

        return command_line(b"/proc", pid)

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and cannot be read; see ``ProcessTable``."""
        return False

    def process(self, pid: int) -> "Process | None":
        """Return the identity of a living process; None for all else, also a thread's id."""
        return self._look(pid, Criteria())

    def select(self, criteria: Criteria) -> "list[Process]":
        """Return the living processes that meet the criteria; see ``ProcessTable``."""
        return list(self._matching(criteria))

    def first(self, criteria: Criteria) -> "Process | None":
        """Return the first process of ``select``, without reading those after it."""
        return next(self._matching(criteria), None)

    def holds(self, criteria: Criteria, process: "Process") -> bool:
        """Say whether the process is still that one and meets the criteria."""
        if criteria.pid is not None and criteria.pid != process.pid:
            return False
        return process.is_still(self._look(process.pid, criteria))

    def children(self, pid: int) -> "list[Process]":
        """Return the living children of a process, ascending by pid."""
        found = (self._look(each, Criteria(ppid=pid)) for each in self.pids())
        return [process for process in found if process is not None]

    def _matching(self, criteria: Criteria) -> "Iterator[Process]":
        """Yield what ``select`` returns."""
        for pid in self.pids() if criteria.pid is None else [criteria.pid]:
            process = None if pid == self.own_pid() else self._look(pid, criteria)
            if process is not None:
                yield process

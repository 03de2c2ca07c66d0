"""What the caller sees on a table of declared processes, and whom it may signal."""

import os

from ssd.finding import resolve
from ssd.matching import UNKNOWN_START, Criteria, Match, Process
from ssd.processes.base import PidByPidTable
from ssd.testing.population import Population

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.process import FakeProcess


def uid_of(user: int | str) -> int:
    """Return the uid of a user, by number or by name. Raises UnknownUser."""
    return resolve(Match(user=user)).uid or 0


class View(Population, PidByPidTable):
    """A population as one of it sees it: what of ``ProcessTable`` only looks.

    ``caller`` asks, with the rights of ``caller_uid``; ``hidepid``: others' processes, and
    those that are not dumpable, are seen by nobody but root.
    """

    caller: "FakeProcess"
    hidepid: bool

    @property
    def caller_uid(self) -> int:
        """Who asks and signals; may be set, by the name of a real account, too."""
        return self.caller.uid

    @caller_uid.setter
    def caller_uid(self, user: int | str) -> None:
        self.caller.uid = uid_of(user)

    def own_pid(self) -> int:
        """Return the pid of the caller."""
        return self.caller.pid

    def pids(self) -> list[int]:
        """Return every pid that the caller may see, ascending."""
        with self.lock:
            return sorted(pid for pid in self._processes if self._visible(pid))

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line, none of one that is gone."""
        found = self._processes.get(pid)
        if found is None or found.ended or not self._visible(pid):
            return []
        return [os.fsencode(word) for word in found.argv]

    def may_signal(self, process: "FakeProcess") -> bool:
        """Say whether the caller may: root, or the same user (kill(2))."""
        return self.caller_uid in (0, process.uid)

    def _look(self, pid: int, criteria: Criteria) -> Process | None:
        """Return the process if it lives and meets all criteria but ``pid``."""
        found = self._processes.get(pid)
        if found is None or found.ended:
            return None
        if not self._visible(pid):
            # As on a real system: kill(2) tells that it is there, and nothing tells more.
            return Process(pid, UNKNOWN_START) if criteria.bare else None
        return found.identity if self._meets(found, criteria) else None

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and not enough of it can be read to decide."""
        found = self._processes.get(criteria.pid or 0)
        if found is None or found.ended or criteria.bare:
            return False
        return not self._visible(found.pid) or self._meets(found, criteria) is None

    def _meets(self, found: "FakeProcess", criteria: Criteria) -> bool | None:
        """Say whether one that is seen meets the criteria; None if it may not be known."""
        meets = (
            (criteria.ppid is None or found.ppid == criteria.ppid)
            and (criteria.uid is None or found.uid == criteria.uid)
            and (criteria.name is None or found.name == criteria.name)
        )
        if not meets or criteria.file is None:
            return meets
        # What /proc/PID/exe is, only those know who may trace: ptrace(2).
        return found.file() == criteria.file if self._may_trace(found) else None

    def _may_trace(self, process: "FakeProcess") -> bool:
        """Say whether the caller may: root, or the same user if the process is dumpable."""
        return self.caller_uid == 0 or (self.may_signal(process) and process.dumpable)

    def _visible(self, pid: int) -> bool:
        """Say whether the caller sees this pid in the table."""
        found = self._processes.get(pid)
        return found is not None and (not self.hidepid or self._may_trace(found))

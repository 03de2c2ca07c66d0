"""Who is on a machine of declared processes: pids, parents and their orphans."""

import errno
import os
from itertools import chain

from ssd.testing.clock import FakeClock
from ssd.testing.programs import NotRegistered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.process import FakeProcess

RESERVED = 300  # where pids begin again after the highest: kernel/pid.c


class Population:
    """The processes of a machine by their pids, zombies among them.

    pid_max: one more than the highest pid. last_pid: the next process takes the pid after
    it. init_reaps: whether process 1 waits for those that are left to it.
    """

    def __init__(self, clock: FakeClock, pid_max: int, last_pid: int, init_reaps: bool) -> None:
        self.clock = clock
        self.lock = clock.lock  # whoever looks or changes something holds it: there are threads
        self.pid_max = pid_max
        self.last_pid = last_pid
        self._init_reaps = init_reaps
        self._processes: dict[int, FakeProcess] = {}

    def __getitem__(self, pid: int) -> "FakeProcess":
        """Return a process, a zombie too. Raises NotRegistered, which says who there is."""
        with self.lock:
            if pid not in self._processes:
                raise NotRegistered(f"no pid {pid}; there are {[*self._processes.values()]}")
            return self._processes[pid]

    def bury(self, process: "FakeProcess") -> None:
        """See to what follows a death: orphans go to init, the parent reaps."""
        for child in [each for each in self._processes.values() if each.ppid == process.pid]:
            child.ppid = 1
            child.orphaned = True
            if child.ended and self._init_reaps:
                child.reap()
        if process.ppid == 1 and not self._init_reaps:
            return
        after = 0.0 if process.orphaned else process.reaped_after
        if after is not None:
            self.clock.after(after, process.reap)

    def forget(self, process: "FakeProcess") -> None:
        """Take a reaped process off the table; its pid is free."""
        del self._processes[process.pid]

    def _next_pid(self) -> int:
        """Take the next free pid after ``last_pid``, round the corner like the kernel."""
        lowest = RESERVED if self.pid_max > RESERVED else 2
        first, second = range(self.last_pid + 1, self.pid_max), range(lowest, self.pid_max)
        for pid in chain(first, second):
            if pid not in self._processes:
                self.last_pid = pid
                return pid
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

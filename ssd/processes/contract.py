"""The contract of a process table and of its handles: for type checkers only.

Import it under ``if TYPE_CHECKING``; nothing at run time needs it. Three tables keep this
contract (``linux.LinuxTable``, ``portable.PortableTable``, ``ssd.testing.FakeProcesses``).
``ssd.testing.check_process_table`` checks them and any other table. A table of your own is
easiest derived from ``ssd.processes.base.PidByPidTable``, which has defaults for most members.
"""

import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from ssd.matching import Criteria, Process
from ssd.processes.kin import Kin
from ssd.processes.origin import Origin

Start = TypeVar("Start", contravariant=True)
Identify = Callable[[int], Process | None]  # returns the process that has a pid now


class Handle(Protocol):
    """One process, held: its handle never reaches the next owner of its pid."""

    @property
    def process(self) -> Process:
        """The process that is held."""

    def fileno(self) -> int:
        """Return a descriptor that is readable (poll(2)) once the process has ended.

        A zombie has ended. -1 means that this system has no such descriptor.
        """

    def signal(self, signum: int) -> None:
        """Send a signal; 0 only checks whether the caller may.

        Raises ProcessLookupError if the process has ended, PermissionError if the caller
        may not signal it.
        """

    def ended(self) -> bool:
        """Say whether the process has ended; a zombie has."""

    def close(self) -> None:
        """Release the process. Closing twice is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class Kinship(Protocol):
    """Who belongs to whom: what a stop of a whole tree asks a table for (``ssd.trees``)."""

    def of(self, pid: int) -> Kin | None:
        """Return a living process with its parent, group and session, all of one moment.

        None if there is none, it is a zombie, or the caller may not see it.
        """

    def children(self, pid: int) -> list[int]:
        """Return the pids of the children of a process, zombies too, in no order.

        One look, without a proof: ask ``of`` whether a pid still has this parent.
        """

    def environment(self, pid: int) -> list[bytes]:
        """Return the entries (KEY=VALUE) with which a process was executed, if they can be read."""

    def signal_group(self, group: int, signum: int) -> bool:
        """Signal all processes of a group in one step; return whether there is one, or a zombie.

        Signal 0 only asks. A denial is no error. Groups 0 and 1 have no processes.
        """

    def cgroup(self, pid: int) -> bytes | None:
        """Return the name of the cgroup (v2) of a process; None where there are none."""


class Notifications(Handle, Protocol):
    """What a process of a table that makes its processes says by sd_notify(3).

    It has "ended" while a message waits.
    """

    def receive(self) -> bytes | None:
        """Return the next message, None if there is none."""


class ProcessTable(Protocol):
    """The processes of a system, and its clock.

    A criterion does not hold if its fact cannot be read, because the process is gone or the
    caller may not read it. That is never an exception: ProcessTableError means that the table
    itself cannot be read.
    """

    @property
    def origin(self) -> Origin | None:
        """What start times count from; None: pidfiles are written without a mark."""

    @property
    def launcher(self) -> "Launcher[Any] | None":
        """The table itself if it makes its processes; None if the kernel makes them."""

    @property
    def kin(self) -> Kinship:
        """What says who belongs to whom."""

    def pids(self) -> list[int]:
        """Return every pid, ascending: those of processes and zombies, not of threads."""

    def process(self, pid: int) -> Process | None:
        """Return the identity of a living process; None if there is none or it is a zombie.

        A living process that the caller may not see (proc(5), hidepid) has UNKNOWN_START.
        """

    def own_pid(self) -> int:
        """Return the pid of the caller."""

    def executable(self, path: str | bytes | os.PathLike[str]) -> tuple[int, int]:
        """Return device and inode of an executable. Raises OSError if there is none."""

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none if it has ended."""

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and not enough of it can be read to decide.

        That is: all criteria that can be read hold, and at least one cannot be read.
        """

    def select(self, criteria: Criteria) -> list[Process]:
        """Return the living processes for which all given criteria hold, ascending by pid.

        The calling process is never one of them. With ``criteria.pid`` only that pid is read.
        """

    def first(self, criteria: Criteria) -> Process | None:
        """Return the first process of ``select``, without reading those after it."""

    def holds(self, criteria: Criteria, process: Process) -> bool:
        """Say whether the process lives, still has its pid, and meets all given criteria."""

    def open(self, process: Process) -> Handle:
        """Hold a process.

        Raises ProcessLookupError if it has ended, if its pid belongs to another process now, or
        if it has become hidden since it was seen: then ask ``process`` for it again.
        """

    def children(self, pid: int) -> list[Process]:
        """Return the living children of a process, ascending by pid."""

    def now(self) -> float:
        """Return the time in seconds of a clock that never goes back."""

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Return when one of ``handles`` has ended, or at the time ``until`` of ``now()``.

        ``until`` None waits without a limit. Raises ValueError for neither a handle nor a time.
        """


class Launcher(ProcessTable, Protocol[Start]):
    """A table that makes its processes itself: ``ssd.testing.FakeProcesses``.

    ``ssd.start`` and the commands fork and execute only where ``ProcessTable.launcher`` is
    None. ``Start`` describes a start: ``ssd.starting.Start``.
    """

    def launch(self, start: Start) -> Process:
        """Do a start: look, and make the process and its pidfile."""

    def notifications(self, process: Process) -> Notifications:
        """Receive what a process says by sd_notify(3). Raises ProcessLookupError."""

    async def launch_async(self, start: Start) -> Process:
        """Do what ``launch`` does without blocking an asyncio loop."""

    async def wait_async(self, handles: Sequence[Handle], until: float | None) -> None:
        """Do what ``wait`` does without blocking an asyncio loop."""

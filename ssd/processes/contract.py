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
from ssd.processes.origin import Origin

Start = TypeVar("Start", contravariant=True)
Identify = Callable[[int], Process | None]  # who has a pid now


class Handle(Protocol):
    """One process held fast: whoever takes over its pid cannot be reached through this."""

    @property
    def process(self) -> Process:
        """The process that is held."""

    def fileno(self) -> int:
        """Return a descriptor that poll(2) finds readable once the process has ended.

        A zombie has ended. -1: this system has no such descriptor.
        """

    def signal(self, signum: int) -> None:
        """Send a signal; 0 only asks whether the caller may.

        Raises ProcessLookupError if the process has ended, PermissionError if the caller
        may not signal it.
        """

    def ended(self) -> bool:
        """Say whether the process has ended; a zombie has."""

    def close(self) -> None:
        """Let go. Closing twice is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


class ProcessTable(Protocol):
    """The processes of a system, and its clock.

    A fact that cannot be read, because the process is gone or the caller may not, does not
    hold; it is never an exception. ProcessTableError means that there is no table at all.
    """

    @property
    def origin(self) -> Origin | None:
        """What start times count from; None: pidfiles are written without a mark."""

    @property
    def launcher(self) -> "Launcher[Any] | None":
        """The table itself if it makes its processes; None if the kernel makes them."""

    def pids(self) -> list[int]:
        """Return every pid, ascending: processes (not threads), zombies among them."""

    def process(self, pid: int) -> Process | None:
        """Return the identity of a living process; None if there is none or it is a zombie.

        One that lives and that the caller may not see (proc(5), hidepid) has UNKNOWN_START.
        """

    def own_pid(self) -> int:
        """Return the pid of the caller."""

    def executable(self, path: str | bytes | os.PathLike[str]) -> tuple[int, int]:
        """Return device and inode of an executable. Raises OSError if there is none."""

    def command_line(self, pid: int) -> list[bytes]:
        """Return the words of a process's command line; none if it has ended."""

    def unreadable(self, criteria: Criteria) -> bool:
        """Say whether ``criteria.pid`` lives and not enough of it can be read to decide.

        That is: what can be read of it holds, and something else that is asked for cannot be.
        """

    def select(self, criteria: Criteria) -> list[Process]:
        """Return the living processes for which all given criteria hold, ascending by pid.

        The calling process is never one of them. With ``criteria.pid`` only that pid is
        looked at.
        """

    def first(self, criteria: Criteria) -> Process | None:
        """Return the first that ``select`` would, without looking at those after it."""

    def holds(self, criteria: Criteria, process: Process) -> bool:
        """Say whether the process lives, is still that one, and all given criteria hold."""

    def open(self, process: Process) -> Handle:
        """Hold a process.

        Raises ProcessLookupError if it has ended or its pid belongs to another now, and for
        one that was seen and is not to be seen any more: ask ``process`` for it again.
        """

    def children(self, pid: int) -> list[Process]:
        """Return the living children of a process, ascending by pid."""

    def now(self) -> float:
        """Return the time in seconds of a clock that never goes back."""

    def wait(self, handles: Sequence[Handle], until: float | None) -> None:
        """Return when one of ``handles`` has ended, or at the time ``until`` of ``now()``.

        None waits without a limit. Raises ValueError if there is neither.
        """


class Launcher(ProcessTable, Protocol[Start]):
    """A table that makes its processes itself: ``ssd.testing.FakeProcesses``.

    ``ssd.start`` and the commands fork and execute only where ``ProcessTable.launcher`` is
    None. ``Start`` describes a start: ``ssd.starting.Start``.
    """

    def launch(self, start: Start) -> Process:
        """Do a start: look, and make the process and its pidfile."""

    async def launch_async(self, start: Start) -> Process:
        """Do what ``launch`` does without blocking an asyncio loop."""

    async def wait_async(self, handles: Sequence[Handle], until: float | None) -> None:
        """Do what ``wait`` does without blocking an asyncio loop."""

"""A process table that keeps a record of what is done by it: each signal, and each end.

A stop or a start on it is the same as on the table below it. ``ssd --json`` and ``--timeline`` show
the record.
"""

import os

from ssd.errors import Error
from ssd.signal_names import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from ssd.matching import Criteria, Process
    from ssd.processes.contract import Handle, Kinship, ProcessTable

# The events of a step. Those of a start are named in ``ssd.starting.Start``, under ``say``.
SIGNAL, DENIED, ENDED, STARTED = "signal", "denied", "ended", "started"


class Step:
    """One thing that was done or seen: ``at`` seconds after the beginning of the record.

    ``event`` says what. ``facts`` has the rest: ``pid``, ``signal`` (a name without SIG, or a
    number as text), ``group`` for a signal to a process group, ``reason`` of a denial.
    """

    __slots__ = ("at", "event", "facts")

    def __init__(self, at: float, event: str, facts: "dict[str, object]") -> None:
        self.at: float = at
        self.event: str = event
        self.facts: dict[str, object] = facts

    @property
    def pid(self) -> int | None:
        """The pid of the process that it is about; None for the command itself."""
        pid = self.facts.get("pid")
        return pid if isinstance(pid, int) else None

    def __repr__(self) -> str:
        return f"Step({self.at:g}, {self.event!r}, {self.facts!r})"


class Facts:
    """What was known of a process when it was first met, as texts.

    None if it had ended then or could not be read: no stop fails because it is recorded.
    """

    __slots__ = ("process", "name", "command_line")

    def __init__(self, process: "Process", table: "ProcessTable") -> None:
        self.process: Process = process
        self.name: str | None = None
        self.command_line: list[str] | None = None
        try:
            kin = table.kin.of(process.pid)
            if kin is not None and process.is_still(kin.process):  # no other process has its pid
                self.name = _text(kin.name)
                self.command_line = [*map(_text, table.command_line(process.pid))]
        except (Error, OSError):  # no descriptor is left, for example
            return


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class Record:
    """Steps in their order, and the processes that they are about.

    ``now`` is the clock of the table, ``length`` the seconds from the beginning to the end.
    """

    def __init__(self, table: "ProcessTable") -> None:
        self._table = table
        self._begin = table.now()
        self.steps: list[Step] = []
        self.processes: dict[Process, Facts] = {}
        self.ended: set[Process] = set()

    @property
    def length(self) -> float:
        """The seconds since the beginning."""
        return max(0.0, self._table.now() - self._begin)

    def note(self, event: str, **facts: object) -> None:
        """Add a step."""
        self.steps.append(Step(self.length, event, facts))

    def meet(self, process: "Process") -> None:
        """Take the facts of a process, once, while it lives."""
        if process not in self.processes:
            self.processes[process] = Facts(process, self._table)

    def look_after(self, process: "Process", **facts: object) -> None:
        """Add the end of a process that was met, if it has ended by now, with more facts of it."""
        try:
            seen = self._table.process(process.pid)
        except Error:  # nothing was seen
            return
        if not process.is_still(seen):
            self.end(process, **facts)

    def end(self, process: "Process", **facts: object) -> None:
        """Add the end of a process that was met, once."""
        if process in self.processes and process not in self.ended:
            self.ended.add(process)
            self.note(ENDED, pid=process.pid, **facts)


class RecordedTable:
    """A process table with a record.

    ``found`` is what the last look has found, ``matched`` what all have: with the kind of evidence
    for each if scripts were looked for, else None. A look for the first process is one for all,
    because an answer shows all.
    """

    def __init__(self, table: "ProcessTable") -> None:
        self._table = table
        self.record = Record(table)
        self.found: list[Process] = []
        self.matched: dict[Process, str | None] = {}

    def __getattr__(self, name: str) -> "Any":
        """Return a member of the table below."""
        return getattr(self._table, name)

    @property
    def kin(self) -> "Kinship":
        """Return what says who belongs to whom; see ``ProcessTable``."""
        kinship: Any = RecordedKinship(self._table.kin, self.record)
        return kinship  # type: ignore[no-any-return]

    def select(self, criteria: "Criteria") -> "list[Process]":
        """Return the living processes that meet the criteria; see ``ProcessTable``."""
        self.found = self._table.select(criteria)
        more = criteria.more
        for process in self.found:
            if process in self.matched:
                continue
            self.matched[process] = None
            if more is not None and more.interpreted:  # while it lives
                from ssd.evidence import kind_of

                self.matched[process] = kind_of(criteria, process, self._table)
        return self.found

    def first(self, criteria: "Criteria") -> "Process | None":
        """Return the first process of ``select``."""
        return next(iter(self.select(criteria)), None)

    def open(self, process: "Process") -> "RecordedHandle":
        """Hold a process. Raises ProcessLookupError if it has ended."""
        return RecordedHandle(self._table.open(process), self.record)


def recorded(table: "ProcessTable") -> "tuple[ProcessTable, RecordedTable]":
    """Return a table with a record twice: as a table for the work, and as what holds the record."""
    made = RecordedTable(table)
    as_table: Any = made  # it has all members, most of them by __getattr__
    return as_table, made


class RecordedKinship:
    """The kinship of a table; its signals to groups are recorded."""

    def __init__(self, kinship: "Kinship", record: Record) -> None:
        self._kinship = kinship
        self._record = record

    def __getattr__(self, name: str) -> "Any":
        """Return a member of the kinship below."""
        return getattr(self._kinship, name)

    def signal_group(self, group: int, signum: int) -> bool:
        """Signal all processes of a group; see ``Kinship``."""
        there = self._kinship.signal_group(group, signum)
        if there and signum:
            self._record.note(SIGNAL, group=group, signal=_name(signum))
        return there


class RecordedHandle:
    """A process, held: its signals and its end are recorded. Signal 0 reaches nobody."""

    def __init__(self, handle: "Handle", record: Record) -> None:
        self._handle = handle
        self._record = record

    @property
    def process(self) -> "Process":
        """The process that is held."""
        return self._handle.process

    def fileno(self) -> int:
        """Return the descriptor that is readable after the end; see ``Handle``."""
        return self._handle.fileno()

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError and PermissionError."""
        process = self._handle.process
        if not signum:
            self._handle.signal(signum)
            return
        self._record.meet(process)
        sent: dict[str, Any] = {"pid": process.pid, "signal": _name(signum)}
        try:
            self._handle.signal(signum)
        except ProcessLookupError:
            self._record.end(process)
            raise
        except OSError as error:
            reason = error.strerror or os.strerror(error.errno or 0)
            self._record.note(DENIED, **sent, reason=reason)
            raise
        self._record.note(SIGNAL, **sent)

    def ended(self) -> bool:
        """Say whether the process has ended; a zombie has."""
        ended = self._handle.ended()
        if ended:
            self._record.end(self._handle.process)
        return ended

    def close(self) -> None:
        """Release the process."""
        self._handle.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        self.close()


def _name(signum: int) -> str:
    return signal_name(signum).removeprefix("SIG")

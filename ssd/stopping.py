"""Stop processes by a schedule.

``plan`` decides and knows no process. ``Stop`` carries a plan out on a process table and can be
driven by any loop: ``run`` blocks, ``ssd.aio`` is for asyncio.
"""

from ssd.errors import EXHAUSTED, Error
from ssd.finding import look, resolve
from ssd.processes import default_table
from ssd.schedule import SEND, Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ssd.matching import Criteria, Match, Process
    from ssd.processes.contract import Handle, ProcessTable
    from ssd.trees import Tree

    Plan = Generator[tuple[str, float], bool, bool]


class _Survived(str):
    """The outcome "survived", which also equals its earlier name, "refused"."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return other in ("refused", "survived")

    def __ne__(self, other: object) -> bool:
        return not self == other


STOPPED, NOTHING, SURVIVED = "stopped", "nothing", _Survived("survived")


def plan(schedule: Schedule) -> "Plan":
    """Yield the steps of a stop; return whether processes are left at the end.

    Send the answer to each step: after ``("send", signum)`` whether a process took the signal,
    after ``("wait", seconds)`` whether a process is still there. The stop ends when the answer is
    no. After a single signal (a stop without ``--retry``) no process counts as left; after a
    schedule that ends with a signal, all do.
    """
    for step in schedule:
        if not (yield step):
            return False
    return len(schedule.steps) > 1


class Round:
    """One signal of a stop: the processes found, those that took it, those that did not.

    ``time``: when it was sent, in seconds of ``table.now()``.
    ``denied`` holds (process, OSError) pairs: the kernel denied the signal, mostly with EPERM.
    ``refused`` is its earlier name.
    """

    __slots__ = ("signum", "time", "found", "signalled", "denied")

    def __init__(self, signum: int, time: float = 0.0) -> None:
        self.signum: int = signum
        self.time: float = time
        self.found: list[Process] = []
        self.signalled: list[Process] = []
        self.denied: list[tuple[Process, OSError]] = []

    @property
    def refused(self) -> "list[tuple[Process, OSError]]":
        """The earlier name of ``denied``."""
        return self.denied


class Stop:
    """One stop, from the first look to the last wait; a context manager that closes it.

    ``advance`` does all that is due and returns True when the stop is over. Until then
    wait for one of ``handles`` to be readable (poll(2) on ``fileno()``) or for the time
    ``until`` (seconds of ``table.now()``; None means no limit), then call it again.

    ``outcome`` at the end: "stopped" (a process took a signal, and none is left or the
    schedule has no wait), "nothing" (no process was found that could be signalled), or
    "survived" (the processes in ``remaining`` outlived the schedule). ``rounds`` lists what
    was sent.

    ``schedule`` may be text. With ``tree`` all that belongs to the processes found is stopped too
    (``ssd.trees.Tree``). Raises what ``ssd.find`` raises. Holds one descriptor per process.
    """

    def __init__(
        self,
        match: "Match",
        schedule: Schedule | str,
        *,
        tree: "bool | Tree" = False,
        table: "ProcessTable | None" = None,
    ) -> None:
        if not isinstance(schedule, Schedule):
            from ssd.validation import schedule_of

            schedule = schedule_of(schedule)
        self.table = table or default_table()
        self.match: Match = match
        self.schedule: Schedule = schedule
        self._criteria: Criteria | None = None
        self.rounds: list[Round] = []
        self.outcome: str | None = None
        self.failure: Error | OSError | None = None
        self.remaining: list[Process] = []
        self.until: float | None = None
        self._plan = plan(schedule)
        self._held: dict[Process, Handle] = {}
        self._ended: set[Process] = set()
        self._first: list[Process] | None = None
        self._step: tuple[str, float] | None = next(self._plan)
        self._waiting = False
        self._tree: Tree | None = None
        if tree:
            from ssd.trees import tree_of

            self._tree = tree_of(tree)

    @property
    def handles(self) -> "list[Handle]":
        """The handles of the processes that the stop waits for."""
        return list(self._held.values())

    @property
    def signalled(self) -> "list[Process]":
        """Every process that took a signal, in the order of the first one."""
        return list(dict.fromkeys(p for round in self.rounds for p in round.signalled))

    def advance(self) -> bool:
        """Do all that is due now; return True when the stop is over."""
        try:
            if self._criteria is None:
                self._criteria = resolve(self.match, self.table)
            while self._step is not None:
                kind, value = self._step
                answer = self._send(int(value)) if kind == SEND else self._wait(value)
                if answer is None:
                    return False
                self._next(answer)
        except BaseException:
            self.close()
            raise
        return True

    def step(self) -> bool:
        """Advance, and keep a failure in ``failure`` instead of raising it."""
        try:
            return self.advance()
        except (Error, OSError) as error:
            self.failure = error
            return True

    def close(self) -> None:
        """Close every handle; a stop that is not over is abandoned."""
        self._step = None
        for handle in self._held.values():
            handle.close()
        self._held.clear()

    def __enter__(self) -> "Stop":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _next(self, answer: bool) -> None:
        """Send the plan the answer and take the next step, or set the outcome."""
        try:
            self._step = self._plan.send(answer)
            return
        except StopIteration as end:
            left = bool(end.value)
        signalled = self.signalled
        if left:
            self.outcome = SURVIVED
            self.remaining = list(self._held)
        else:
            self.outcome = STOPPED if signalled else NOTHING
        self.close()

    def _send(self, signum: int) -> bool:
        """Look, and signal the processes found now and those held from earlier looks."""
        done = Round(signum, self.table.now())
        self.rounds.append(done)
        self._gather()
        if self._tree is None:
            self._signal(sorted(self._held, key=lambda process: process.pid), done)
        else:
            for batch in self._tree.batches(signum, self._held, self._gather):
                self._signal(batch, done)
            for process, _ in done.denied:
                if process in self._held:  # it was found again
                    self._drop(process)
        return bool(done.signalled)

    def _gather(self) -> None:
        """Look, and hold what is found."""
        self._hold(self._look())

    def _signal(self, processes: "list[Process]", done: Round) -> None:
        """Signal processes that are held."""
        done.found += processes
        for process in processes:
            handle = self._held[process]
            try:
                if handle.ended():
                    raise ProcessLookupError
                handle.signal(done.signum)
            except ProcessLookupError:
                self._drop(process, ended=True)  # it ended after the look
            except OSError as error:
                if error.errno in EXHAUSTED:
                    raise
                done.denied.append((process, error))
                self._drop(process)
            else:
                done.signalled.append(process)

    def _wait(self, seconds: float) -> bool | None:
        """Return whether a process is left; None while the wait is not over."""
        now = self.table.now()
        if not self._waiting:
            self._waiting = True
            self.until = now + seconds
        for process, handle in list(self._held.items()):
            if handle.ended():
                self._drop(process, ended=True)
        if not self._held:
            self._hold(process for process in self._look() if self._may_signal(process))
            if self._held and self._tree is not None and self._tree.is_killed:
                self._send(9)  # what has escaped; the wait goes on
        if self._held and self.until is not None and now < self.until:
            return None
        self._waiting = False
        return bool(self._held)

    def _look(self) -> "list[Process]":
        """Find the processes that match now, and with ``tree`` what belongs to them."""
        found = self._matching()
        return found if self._tree is None else self._tree.look(found, self.table)

    def _matching(self) -> "list[Process]":
        """Find the processes that match now.

        A pid, given or read from a pidfile, means the process that had it at the first look;
        a later owner of the pid is another process.
        """
        by_pid = self.match.pid is not None or self.match.pidfile is not None
        if self._first is None or not by_pid:
            found = look(self.match, self._asked, self.table).processes
            self._first = found
            return found
        return [process for process in self._first if self.table.holds(self._asked, process)]

    def _hold(self, processes: "Iterable[Process]") -> None:
        """Open the processes not held yet, and match each again once its handle is open."""
        for process in processes:
            if process in self._held or process in self._ended:
                continue
            try:
                handle = self.table.open(process)
            except ProcessLookupError:
                continue
            belongs = self._tree is not None and process in self._tree
            if belongs or self.table.holds(self._asked, process):
                self._held[process] = handle
            else:
                handle.close()

    def _may_signal(self, process: "Process") -> bool:
        """Tell whether a signal would be allowed; a stop waits for no other process."""
        try:
            with self.table.open(process) as handle:
                handle.signal(0)
        except (PermissionError, ProcessLookupError):
            return False
        return True

    @property
    def _asked(self) -> "Criteria":
        """The criteria, resolved when the stop first advances."""
        assert self._criteria is not None
        return self._criteria

    def _drop(self, process: "Process", ended: bool = False) -> None:
        if ended:  # a process known by its pid alone has no successor
            self._ended.add(process)
        self._held.pop(process).close()


def run(*stops: Stop) -> None:
    """Drive stops to their ends, side by side, in the time of the slowest.

    They must share one kind of process table. Blocks in poll(2); works in any thread. A
    stop that fails keeps its ``failure`` and does not delay the others.
    """
    pending = [stop for stop in stops if not stop.step()]
    while pending:
        limits = [stop.until for stop in pending if stop.until is not None]
        handles = [handle for stop in pending for handle in stop.handles]
        pending[0].table.wait(handles, min(limits, default=None))
        pending = [stop for stop in pending if not stop.step()]

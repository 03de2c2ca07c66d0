"""A verb whose steps are recorded, and which prints nothing: of the library and of ``--json``.

What it does is the same (``ssd.service.verbs.performing.walk``); this keeps what was seen before,
what was done, and what is there after.
"""

from ssd import answers
from ssd.errors import Error
from ssd.matched_by import ENDED, STRONGEST
from ssd.processes.recorded import STARTED, recorded
from ssd.service import verbs
from ssd.service.outcome import UNKNOWN, Look
from ssd.service.verbs.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.outcome import Facts
    from ssd.starting import Start

STATES = (verbs.RUNNING, verbs.DEAD, verbs.STOPPED, verbs.UNCLEAR)
# The events of a start whose values have names; those of any other are "detail".
VALUES = {"awaiting": ("seconds",), "notified": ("kind", "value")}


class Recorded(Steps):
    """A service while a verb is done to it and recorded.

    ``alone``: this process is the command's, with a single thread, so that it may fork. ``before``:
    the state at the first look. heard: what hooks have printed, in lines. error: why a step has
    failed. has_started: whether a process was started.
    """

    def __init__(
        self, service: "Service", table: "ProcessTable | None" = None, *, alone: bool = False
    ) -> None:
        super().__init__(service, table)
        self.recording = self
        self._below = self.table
        self.table, self.recorded = recorded(self.table)
        self._alone = alone
        self.before: str | None = None
        self._before: list[Process] = []
        self._facts: dict[Process, Facts] = {}
        self.heard: list[str] = []
        self.error: str | None = None
        self.has_started = False

    # What the steps call ------------------------------------------------------------------------

    def look(self, for_start: bool = False) -> str:
        """Find the state of the service; see ``Steps``. The first look is that before the verb."""
        outcome = super().look(for_start)
        if self.before is None:
            self.before = outcome if outcome in STATES else self.seen()
            self._before = self.processes
            self._take_facts()
        return outcome

    def failed(self, error: "Error | OSError") -> str:
        """Keep an error, and return its outcome; see ``Steps``."""
        from ssd.sentences import describe

        self.error = describe(error := _in_words(error))
        process = getattr(error, "process", None)
        if process is not None and process.pid:  # it was started, and is not what was hoped for
            self.started(process, getattr(error, "status", None))
        return super().failed(error)

    def complain(self, error: "Error | OSError | str") -> None:
        """Keep a complaint in words; see ``Steps``."""
        super().complain(error if isinstance(error, str) else _in_words(error))

    def hear(self, text: str) -> None:
        """Keep what a hook has printed."""
        self.heard += text.splitlines()

    def note(self, event: str, *values: object) -> None:
        """Take note of an event of a start (``ssd.starting.Start``)."""
        names = VALUES.get(event, ("detail",))
        self.recorded.record.note(event, **dict(zip(names, values)))

    def started(self, process: "Process | None", status: "int | None" = None) -> None:
        """Take note of the process that was started; ``status``: how it has ended by now."""
        self.has_started = True
        if process is None:  # its pidfile does not name it yet
            self.recorded.record.note(STARTED)
            return
        record = self.recorded.record
        record.meet(process)
        record.note(STARTED, pid=process.pid)
        record.look_after(process, **({} if status is None else {"exit_status": status}))

    def start(self, work: "Start") -> "Process":
        """Do a start in the background. A process with threads must not fork into Python."""
        if self._alone:
            return work.run()
        from ssd import children

        if not children.can_launch(self._below):
            return work.run()
        return children.launch(work, self._below)

    # What an Outcome is made of -----------------------------------------------------------------

    def seen(self) -> str:
        """Look once more, without complaints; return the state."""
        kept, self.processes = [*self.complaints], []
        try:
            return super().look()
        except (Error, OSError):  # nothing declared identifies its processes
            return UNKNOWN
        finally:
            self.complaints[:] = kept

    def looked_before(self) -> Look:
        """Return the look before the verb, in which a process may have ended since."""
        return Look(self.before or UNKNOWN, self._shown(self._before))

    def look_after(self) -> Look:
        """Look again, and return that."""
        state = self.seen()
        self._take_facts()
        return Look(state, self._shown(self.processes))

    def all_processes(self) -> "list[Facts]":
        """Return the facts of all processes that were found, signalled or started."""
        self._take_facts()
        return self._shown(self.recorded.record.processes)

    def steps(self) -> "list[Facts]":
        """Return the steps that were recorded."""
        return answers.steps_of(self.recorded.record)

    def any_ended(self) -> bool:
        """Tell whether a process has ended that was there before."""
        return any(answers.has_ended(process, self._below) for process in self._before)

    def _take_facts(self) -> None:
        """Take the facts of the processes found, and of those met since, once and while they live.

        Only once, because the clocks of ``started_at`` differ by a tick from call to call.
        """
        record = self.recorded.record
        for process in self.processes:
            record.meet(process)
        for process, known in record.processes.items():
            if process not in self._facts:
                by = self._matched_by(process)
                self._facts[process] = answers.facts_of(known, self._below, by, ended=False)

    def _matched_by(self, process: "Process") -> "str | None":
        if process not in self.recorded.matched:
            return None
        match = self.service.match()
        if match.interpreted:
            return self.recorded.matched[process] or ENDED
        return next(word for name, word in STRONGEST if getattr(match, name) is not None)

    def _shown(self, processes: "Iterable[Process]") -> "list[Facts]":
        """Return the facts of processes, with whether each has ended by now."""
        return [{**self._facts[p], "ended": answers.has_ended(p, self._below)} for p in processes]


def _in_words(error: "Error | OSError") -> "Error | OSError":
    """Say of a child that something else has reaped what that means."""
    if not isinstance(error, ChildProcessError):
        return error
    from ssd.service.verbs.reaped import LOST

    return ChildProcessError(error.errno, LOST)

"""A supervisor of jobs as a process: its first events, its signals, its end."""

import os
from time import monotonic

from ssd.signals import raw as signals
from ssd.statuses import SUCCESS
from ssd.stdio import write
from ssd.supervision.cli.loop import HEARD, Loop
from ssd.supervision.supervisor import Update
from ssd.upstart import succession
from ssd.upstart.cli.init_log import InitLog
from ssd.upstart.files import Directory
from ssd.upstart.succession.journal import JobJournal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.sources.upstart import JobFile
    from ssd.supervision.control.rereading import Done
    from ssd.supervision.places import Places
    from ssd.supervision.succession.handed import Handed
    from ssd.upstart.cli.options import Options
    from ssd.upstart.jobs import Jobs

# What the kernel and others tell process 1, and the event that says so to jobs. See
# control-alt-delete(7), keyboard-request(7) and power-status-changed(7) of Upstart.
KEYS = {"SIGINT": "control-alt-delete", "SIGWINCH": "keyboard-request",
        "SIGPWR": "power-status-changed"}  # fmt: skip
STEADY = 10.0  # seconds; an unforeseen error that comes sooner would come again and again
NO_RUNLEVEL = "N"  # the runlevel before the first one, runlevel(7)


class Foreground(Loop):
    """Drives the jobs of some directories until all have stopped."""

    def __init__(self, jobs: "Jobs", options: "Options", places: "Places") -> None:
        super().__init__(jobs, options.quiet or options.is_init)
        self.jobs = jobs
        self.journal = JobJournal(jobs, places.descriptor, self._report, places.is_first)
        self.log = InitLog(self.lines.say, only_kernel=options.is_init)
        self._options = options
        self._directory: Directory | None = None
        self._is_init = os.getpid() == 1
        self._stumbled = -STEADY  # when an unforeseen error came
        # Before the files are read: their faults are told on standard error alone.
        self._listen(dict.fromkeys((*HEARD, *(KEYS if self._is_init else ()))))

    def read(self, paths: "Sequence[str]") -> None:
        """Read the job files of directories, and follow what changes in them."""
        jobs = self.jobs
        jobs.reread = self.reread
        listeners = jobs.messages.listeners
        listeners.append(_tell_at_start)
        self._directory = Directory(paths, jobs.watch, jobs, jobs.tell)
        listeners.remove(_tell_at_start)
        listeners.append(self.log.tell)

    def run(self, handed: "Handed | None" = None) -> int:
        """Emit the first events, and return the exit status once all jobs have stopped.

        handed: what the program before this one in the same process has left. After any
        supervisor that was killed or replaced, the jobs go on, and the first events are over.
        """
        if not self.jobs.classes:
            self.lines.say("there is no job yet")
        if not self._resume(handed):
            self._emit_first()
        if self.above is not None:
            self.above.begin()
        while True:
            try:
                self._turn_until_all_has_stopped()
            except Exception as error:  # noqa: BLE001 - it is told, or raised again
                self._survive(error)
            else:
                return SUCCESS

    def _survive(self, error: Exception) -> None:
        """Say what nobody foresaw, and go on; raise it if the last one was a moment ago.

        With process 1 all would end, and elsewhere nobody knows the jobs any more.
        """
        last, self._stumbled = self._stumbled, monotonic()
        if self._stumbled - last < STEADY:
            raise error
        from ssd.sentences import describe

        self.jobs.tell("fatal", describe(error))

    def _resume(self, handed: "Handed | None") -> bool:
        """Take over what runs; tell whether the jobs have seen the first events before."""
        jobs = self.jobs
        if handed is None:
            return succession.begin(jobs, self.journal)
        resumed = succession.begin(jobs, self.journal, handed.state)
        handed.release(self.kept())
        self.lines.say("the program of the supervisor was replaced; its jobs go on")
        return resumed

    def kept(self) -> "list[int]":
        """Return the descriptors of terminals, which nobody can open again."""
        jobs = self.jobs
        return [fd for unit in jobs.units.values() for fd in jobs.outputs.held(unit)]

    def _emit_first(self) -> None:
        """Emit the events that begin it all."""
        if self._options.silent:
            self._emit_runlevel()
        else:
            self.jobs.emit(self._options.startup, (), lambda error: self._emit_runlevel())
        if self._options.runlevel is None:
            self._note_first()

    def update(self, done: "Done" = lambda outcome: None) -> None:
        """Read the job files anew; ``done`` is called with what has changed."""
        before = self._files()
        self.reread()
        done(compare(before, self._files()))

    def reread(self) -> None:
        """Read the job files anew."""
        self.jobs.tell("info", "Reloading configuration")
        if self._directory is not None:
            self._directory.reload()

    def _files(self) -> "dict[str, JobFile | None]":
        """Return the newest files of all jobs that are told."""
        classes = self.jobs.classes.items()
        return {name: job_class.latest for name, job_class in classes if not job_class.shipped}

    def _emit_runlevel(self) -> None:
        """Enter the runlevel that the command line asks for."""
        level = self._options.runlevel
        if level is not None and not self.is_leaving:
            self.jobs.emit("runlevel", [f"RUNLEVEL={level}", f"PREVLEVEL={NO_RUNLEVEL}"])
            self._note_first()

    def _note_first(self) -> None:
        """Have a successor emit no first events, once the jobs have seen them."""
        self.jobs.call(lambda error: self.journal.note_first(), None)

    def _take(self, number: int) -> None:
        """Do what a signal asks for."""
        event = self._event_of(number)
        if event is not None:
            self.jobs.emit(event)
        elif number == signals.SIGHUP:
            self.reread()
        elif number == signals.SIGUSR2:
            self._try_upgrade()
        else:
            super()._take(number)

    def _event_of(self, number: int) -> "str | None":
        """Return the event that a signal means; None if it means none.

        INT is also what a terminal sends for Ctrl-C, so without a job for it, it ends all.
        """
        if not self._is_init:
            return None
        event = next((KEYS[name] for name in KEYS if getattr(signals, name) == number), None)
        if number == signals.SIGINT and not self._is_waited_for(event or ""):
            return None
        return event

    def _is_waited_for(self, event: str) -> bool:
        """Tell whether a job starts on an event."""
        conditions = (job_class.file.start_on for job_class in self.jobs.classes.values())
        return any(
            event == each.name
            for condition in conditions
            if condition is not None
            for each in condition.events()
        )

    def close(self) -> None:
        """Let go of the directories and the log."""
        if self._directory is not None:
            self._directory.close()
        self.log.close()


def _tell_at_start(level: str, text: str) -> None:
    """Say what is wrong before there are jobs, in the form that Upstart has for the console."""
    write(2, f"init:{text}\n")


def compare(before: "dict[str, JobFile | None]", after: "dict[str, JobFile | None]") -> Update:
    """Return the names of the jobs that are new, gone, changed and the same.

    None for a file that is gone while its job runs.
    """
    update = Update()
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is new is None:
            continue
        kind = update.same if old is new else update.changed
        if old is None:
            kind = update.added
        elif new is None:
            kind = update.removed
        kind.append(name)
    return update

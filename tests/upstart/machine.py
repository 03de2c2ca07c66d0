"""The engine of jobs on a machine of declared processes, for the tests of this room."""

import errno
from collections.abc import Callable

from ssd.matching import Match
from ssd.service.sources.upstart import parse
from ssd.starting import Start
from ssd.starting.command import Command
from ssd.supervision.effects.held import OwnChild
from ssd.testing import FakeProcess, FakeProcesses
from ssd.upstart import Job, Jobs, StageFailed
from ssd.upstart.errors import JobError

Runs = Callable[[FakeProcess], object]


def ends(status: int = 0, after: float = 0.0) -> Runs:
    """Return what a program does that ends by itself."""
    return lambda process: process.die(after, status)


class Stages:
    """Starts the processes of jobs: ``does`` says what each stage of each job does.

    started: label, stage and variables of each start. A stage without a row runs until a signal.
    """

    def __init__(self, table: FakeProcesses) -> None:
        self.table = table
        self.does: dict[tuple[str, str], Runs | str] = {}
        self.started: list[tuple[str, str, dict[str, str]]] = []
        self.taken: list[tuple[str, str, int]] = []
        self.written = 0  # how often logs were to be written

    def start(self, job: Job, stage: str, environment: dict[str, str]) -> OwnChild:
        """Start a stage."""
        does = self.does.get((job.file.name, stage))
        if isinstance(does, str):
            raise StageFailed(job.label, stage, does)
        self.started.append((job.label, stage, environment))
        path = f"/jobs/{job.file.name}-{stage}"
        self.table.register(path, runs=does)
        start = Start(
            Match(name="job"), Command([path]), background=False, make_pidfile=False,
            warn=lambda *omission: None, say=lambda *event: None, table=self.table,
        )  # fmt: skip
        start.new_session = True
        return self.table.launch(start)  # type: ignore[return-value]

    def ended(self, job: Job, stage: str) -> None:
        """Nothing is written here."""

    def terminals(self, job: Job) -> dict[str, int]:
        """There are none here."""
        return {}

    def take_terminal(self, job: Job, stage: str, fd: int) -> None:
        """Remember it."""
        self.taken.append((job.label, stage, fd))

    def write_logs(self) -> None:
        """Count the call."""
        self.written += 1

    def close(self) -> None:
        """Nothing is held here."""


class World:
    """A machine with jobs: each is given by the text of its file.

    told: what init has said. answers: what became of the wishes, by the name of each. before: the
    world of a supervisor that is no more; its machine goes on.
    """

    def __init__(self, strict: bool = False, before: "World | None" = None, **texts: str) -> None:
        self.table = FakeProcesses() if before is None else before.table
        self.stages = Stages(self.table) if before is None else before.stages
        self.jobs = Jobs(
            table=self.table, processes=self.stages, strict=strict,
            environment={"PATH": "/bin", "TERM": "linux"},
        )  # fmt: skip
        self.told: list[str] = []
        self.events: list[str] = []
        self.answers: dict[str, str] = {}
        self.jobs.messages.listeners.append(lambda level, text: self.told.append(text))
        self.jobs.listeners.append(lambda event: self.events.append(str(event)))
        for name, text in texts.items():
            self.define(name.replace("_", "-"), text)

    def define(self, name: str, text: str) -> None:
        """Write a job file."""
        self.jobs.define(parse(text, name))

    def wish(self, verb: str, name: str, *given: str) -> str:
        """Start, stop, restart a job, or emit an event; return the answer, "" if it is to come."""
        key = " ".join([verb, name, *given])
        self.answers.pop(key, None)

        def done(error: JobError | None) -> None:
            self.answers[key] = "done" if error is None else error.text

        try:
            if verb == "emit":
                self.jobs.emit(name, given, done)
            else:
                getattr(self.jobs, f"{verb}_job")(name, given, done)
        except JobError as error:
            return error.text
        self.settle()
        return self.answers.get(key, "")

    def settle(self) -> None:
        """Do all that is due now, and what programs that end at once set off."""
        for _ in range(30):
            self.jobs.advance()

    def after(self, seconds: float) -> None:
        """Let time pass, with the engine at work."""
        time = self.table.now() + seconds
        while not self.jobs.advance() and self.table.now() < time:
            limits = [each for each in (self.jobs.until, time) if each is not None]
            self.table.wait(self.jobs.handles, min(limits))
        self.settle()

    def status(self, label: str) -> str:
        """Return goal and state of an instance."""
        unit = self.jobs.units[label]
        return f"{unit.goal}/{unit.state}"

    def kill(self, label: str, number: int = 9) -> None:
        """End the main process of an instance by a signal."""
        main = self.jobs.units[label].main
        assert main is not None, errno.ESRCH
        main.signal(number)
        self.settle()

    def stages_of(self, label: str) -> list[str]:
        """Return the stages that were started."""
        return [stage for name, stage, _ in self.stages.started if name == label]

    def variables(self, label: str, stage: str = "main") -> dict[str, str]:
        """Return the variables of the last start of a stage, without those that all have."""
        found = [each for name, what, each in self.stages.started if (name, what) == (label, stage)]
        return {key: value for key, value in found[-1].items() if key not in ("PATH", "TERM")}

"""The engine of Upstart's jobs: job files, their instances, and the events between them.

``Jobs`` has the shape of ``ssd.supervision.Supervisor``, with ``advance``, ``handles`` and
``until``, so the same loops drive it, and the same control socket speaks for it.
"""

import os

from ssd.supervision import events
from ssd.supervision.supervisor import Supervisor, Update
from ssd.upstart import environment, errors, states
from ssd.upstart.classes import JobClass
from ssd.upstart.events import cycles
from ssd.upstart.events.emissions import Emission, Emissions
from ssd.upstart.events.hearers import Hearers
from ssd.upstart.job import Job
from ssd.upstart.messages import Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.sources.upstart import JobFile
    from ssd.supervision.unit import Unit
    from ssd.upstart.contract import Starter
    from ssd.upstart.errors import JobError
    from ssd.upstart.events.blocking import Done


PATH = "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin"  # of jobs, init(5)
MOST_TURNS = 4  # in one advance: jobs that set each other off for ever do not keep clients waiting


class Jobs(Supervisor):
    """Jobs, each with its life, in one process.

    table: where their processes are; None for this machine's. processes: what starts them; logs:
    the directory of their output without it, None to drop that.
    environment: the table of variables that jobs get. own: the supervisor's own variables, for
    ``env KEY``. session: what jobs get as UPSTART_SESSION; "" for the system's jobs. strict:
    whether to do as Upstart does where ssd does better by default (docs/reference/divergences.md).
    classes: the jobs by name. messages: what init says.
    """

    def __init__(
        self,
        files: "Iterable[JobFile]" = (),
        *,
        processes: "Starter | None" = None,
        table: "ProcessTable | None" = None,
        environment: "Mapping[str, str] | None" = None,
        strict: bool = False,
        logs: "str | None" = None,
    ) -> None:
        super().__init__((), table=table)
        self.own: dict[str, str] = dict(os.environ)
        default = {"PATH": PATH, "TERM": self.own.get("TERM", "linux")}
        self.environment: dict[str, str] = dict(default if environment is None else environment)
        self.default_environment = dict(self.environment)
        self.session = ""
        self.strict = strict
        self.classes: dict[str, JobClass] = {}
        self.hearers = Hearers()
        self.messages = Messages()
        self.emissions = Emissions(self._see)
        self._calls: list[tuple[Done, JobError | None]] = []
        self.reread: Callable[[], object] | None = None  # reads the job files anew
        if processes is None:
            from ssd.upstart.processes import Processes

            processes = Processes(self.table, self.watch, self.tell, logs)
            processes.strict = strict
            self.outputs.located = processes.log_path
        self.processes: Starter = processes
        for file in files:
            self.define(file)

    # The shape of a supervisor.

    def advance(self) -> bool:
        """Do what is due now; return True once ``shutdown`` was called and all have stopped."""
        over = super().advance()
        for _ in range(MOST_TURNS):
            if not any([self.emissions.turn(), self._make_calls()]):
                break
            over = super().advance()
        return over

    @property
    def until(self) -> float | None:
        """When to call ``advance`` at the latest, in seconds of ``table.now()``; None: no limit."""
        return self.table.now() if self.emissions.due or self._calls else super().until

    @property
    def busy(self) -> bool:
        """Whether there are inputs that are not taken, or answers that are not given yet."""
        return super().busy or bool(self._calls)

    def close(self) -> None:
        """Let everything go; the processes continue to run, and nobody watches them."""
        for unit in list(self.units.values()):
            job = _job(unit)
            job.end_follower()
            for stage in list(job.processes):
                job.let_go(stage)
        self.processes.close()
        super().close()

    # Definitions.

    def define(self, file: "JobFile", shipped: bool = False) -> JobClass:
        """Take a job file, new or changed; what lives of an older one keeps that until it ends."""
        job_class = self.classes.get(file.name)
        if job_class is None:
            job_class = self.classes[file.name] = JobClass(self, file, shipped)
            job_class.resting = Job(job_class)
            self.units[file.name] = job_class.resting
            return job_class
        job_class.shipped = shipped
        if job_class.replace(file) and job_class.resting is not None:
            job_class.resting.begin()
        return job_class

    def undefine(self, name: str) -> None:
        """Take a job file away; what lives of it lives on, and can be stopped."""
        job_class = self.classes.get(name)
        if job_class is not None and job_class.replace(None):
            self._drop_class(job_class)

    def rested(self, job: Job) -> None:
        """Forget an instance that has come to rest, and what its file no longer says."""
        job_class = job.job_class
        job_class.instances.pop(job.instance, None)
        if job is not job_class.resting:
            self.units.pop(job.label, None)
        if not job_class.instances:
            job_class.renew()
            if job_class.latest is None:
                self._drop_class(job_class)
                return
        if job is job_class.resting:
            job.begin()

    def _drop_class(self, job_class: JobClass) -> None:
        self.classes.pop(job_class.name, None)
        self.hearers.drop(job_class)
        if job_class.resting is not None and self.units.get(job_class.name) is job_class.resting:
            del self.units[job_class.name]

    # Wishes, as initctl(8) makes them. Each raises JobError.

    def job_class(self, name: str) -> JobClass:
        """Return a job by its name. Raises UnknownJob."""
        if name not in self.classes:
            raise errors.UnknownJob(name)
        return self.classes[name]

    def find(self, name: str, given: "Sequence[str]" = (), instance: "str | None" = None) -> Job:
        """Return an instance that lives: by its name, or by KEY=VALUE. Raises JobError."""
        job_class = self.job_class(name)
        environment.check(given)
        return job_class.find(environment.table(given), instance)

    def start_job(
        self, name: str, given: "Sequence[str]" = (), done: "Done | None" = None,
        instance: "str | None" = None,
    ) -> Job:  # fmt: skip
        """Start an instance; ``done`` is called when it runs, a task when it has ended."""
        job_class = self.job_class(name)
        environment.check(given)
        if instance is not None:
            job = job_class.find({}, instance)
            variables: dict[str, str] | None = None
        else:
            variables = job_class.environment(environment.table(given))
            job = self._instance(job_class, job_class.instance_name(variables))
        if job.goal == states.START:
            raise errors.AlreadyStarted(job.label)
        if not self._may_begin(job_class):
            raise errors.JobFailed("start")
        job.start_variables = variables
        job.supersede()
        self._await(job, "start", done)
        self.admit(job)
        job.wish(states.START)
        return job

    def stop_job(
        self, name: str, given: "Sequence[str]" = (), done: "Done | None" = None,
        instance: "str | None" = None,
    ) -> Job:  # fmt: skip
        """Stop an instance; ``done`` is called when nothing of it runs any more."""
        job = self.find(name, given, instance)
        if job.goal == states.STOP:
            raise errors.AlreadyStopped(job.label)
        job.stop_variables = environment.table(given)
        job.supersede()
        self._await(job, "stop", done)
        job.halt()
        return job

    def restart_job(
        self, name: str, given: "Sequence[str]" = (), done: "Done | None" = None,
        instance: "str | None" = None,
    ) -> Job:  # fmt: skip
        """Stop an instance and start it again, with new variables only."""
        try:
            job = self.find(name, given, instance)
        except errors.UnknownParameter as error:
            raise errors.UnknownParameter(error.name) from None  # without the usage, as of old
        if job.goal == states.STOP:
            raise errors.AlreadyStopped(job.instance)
        if self.ending:
            raise errors.JobFailed("restart")
        job.supersede()
        self._await(job, "restart", done)
        if instance is None:
            job.start_variables = job.job_class.environment(environment.table(given))
        job.stop_variables = {}
        job.restarts_now = not self.strict
        job.halt()
        job.wish(states.START)
        return job

    def reload_job(
        self, name: str, given: "Sequence[str]" = (), done: "Done | None" = None,
        instance: "str | None" = None,
    ) -> Job:  # fmt: skip
        """Send the reload signal to the main process of an instance."""
        job = self.find(name, given, instance)
        if job.main is None:
            raise errors.NotRunning(job.label)
        job.main.signal(job.file.reload_signal)
        self.say(events.Reloaded(self.wall(), job.label))
        if done is not None:
            self.call(done, None)
        return job

    def emit(self, name: str, given: "Sequence[str]" = (), done: "Done | None" = None) -> Emission:
        """Emit an event; ``done`` is called once all that it has set off has come to its end."""
        if not name:
            raise errors.BadEvent
        environment.check(given)

        def finished(emission: Emission) -> None:
            if done is not None:
                self.call(done, errors.EventFailed() if emission.failed else None)

        emission = Emission(name, given, finished)
        self.add(emission)
        return emission

    def tell(self, level: str, text: str) -> None:
        """Have init say something: ``level`` is one of those of ``initctl log-priority``."""
        self.messages.tell(level, text)

    def add(self, emission: Emission) -> None:
        """Take an event that the jobs must see."""
        self.emissions.add(emission)
        if not self._advancing:
            self.watch.poke()

    def call(self, done: "Done", error: "JobError | None") -> None:
        """Make a call in this turn, when no job is in the middle of a move."""
        self._calls.append((done, error))
        if not self._advancing:
            self.watch.poke()

    def _make_calls(self) -> bool:
        calls, self._calls = self._calls, []
        for done, error in calls:
            done(error)
        return bool(calls)

    # Wishes of a supervisor, by the label of an instance: for the control socket.

    def start(self, name: str) -> None:
        """Start a job that is not started yet. Raises UnknownService and JobError."""
        job = _job(self._unit(name))
        if job.goal == states.STOP:
            instance = None if job is job.job_class.resting else job.instance
            self.start_job(job.file.name, (), None, instance)

    def start_all(self) -> None:
        """Do nothing: events start jobs."""

    def stop(self, name: str) -> None:
        """Stop an instance that is not being stopped yet. Raises UnknownService and JobError."""
        job = _job(self._unit(name))
        if job.goal != states.STOP:
            self.stop_job(job.file.name, (), None, job.instance)

    def restart(self, name: str) -> None:
        """Stop an instance if it runs, and start it. Raises UnknownService and JobError."""
        job = _job(self._unit(name))
        if job.at_rest:
            self.start(name)
        elif job.goal == states.STOP:
            self.start_job(job.file.name, (), None, job.instance)
        else:
            self.restart_job(job.file.name, (), None, job.instance)

    def reload(self, name: str) -> None:
        """Send the reload signal. Raises UnknownService, ProcessLookupError, PermissionError."""
        job = _job(self._unit(name))
        if job.main is None:
            raise ProcessLookupError(name)
        self.reload_job(job.file.name, (), None, job.instance)

    def shutdown(self) -> None:
        """Stop all jobs; ``advance`` tells the end. Conditions that are half true hold up none."""
        for job_class in self.classes.values():
            job_class.keep_half(at_the_end=True)
        super().shutdown()

    def update(self, services: "Iterable[Service]") -> Update:
        """Read the job files anew; declarations are none of ours."""
        if self.reread is not None:
            self.reread()
        return Update()

    # What events do.

    def _see(self, emission: Emission) -> None:
        """Show an event to the jobs that name it: first to those that it may stop (init(5))."""
        self.tell("info", f"Handling {emission.name} event")
        for job_class in self.hearers.of(emission.name):
            for job in list(job_class.instances.values()):
                self._may_stop(job, emission)
            self._may_start(job_class, emission)

    def _may_stop(self, job: Job, emission: Emission) -> None:
        condition = job.stop_on
        if condition is None:
            return
        if not condition.see(emission, job.variables):
            if condition.seen():  # a part of it, which a successor must know
                self.record(job)
            return
        if job.goal != states.STOP:
            job.stop_variables = condition.variables("UPSTART_STOP_EVENTS")
            job.supersede()
            cycles.block(job, condition.events())
            job.halt()
        condition.reset()

    def _may_start(self, job_class: JobClass, emission: Emission) -> None:
        condition = job_class.start_on
        if condition is None or not condition.see(emission, {}):
            job_class.keep_half(self.ending)
            return
        variables = job_class.environment(condition.variables("UPSTART_EVENTS"))
        try:
            name = job_class.instance_name(variables)
        except errors.JobError as error:
            self.tell("warn", f"Failed to obtain {job_class.name} instance: {error}")
            condition.reset()
            job_class.keep_half()
            return
        job = self._instance(job_class, name)
        if job.goal != states.START and self._may_begin(job_class, emission.name):
            job.start_variables = variables
            job.supersede()
            cycles.block(job, condition.events())
            self.admit(job)
            job.wish(states.START)
        condition.reset()
        job_class.keep_half()

    def _may_begin(self, job_class: JobClass, event: str = "stopping") -> bool:
        """Tell whether a job may start: at the end only a task, before something stops."""
        may_task = job_class.file.task and event == "stopping" and not self.effects.hurried
        return may_task or not self.ending

    def _instance(self, job_class: JobClass, name: str) -> Job:
        """Return the instance of a name, a new one if none lives."""
        if name in job_class.instances:
            return job_class.instances[name]
        if name or job_class.resting is None:
            return Job(job_class, name)
        return job_class.resting

    def admit(self, job: Job) -> None:
        """Let an instance live."""
        job.job_class.instances[job.instance] = job
        self.units[job.label] = job

    def _await(self, job: Job, wish: str, done: "Done | None") -> None:
        if done is not None:
            job.blocking.add_wish(wish, done)


def _job(unit: "Unit") -> Job:
    assert isinstance(unit, Job)
    return unit

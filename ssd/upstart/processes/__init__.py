"""What jobs do to the machine: start the processes of their stages, and keep their output.

A process gets what Upstart gives it, byte for byte: the job's environment and nothing else, null
and a terminal as descriptors, a session of its own, all signals at their defaults. On a machine of
``ssd.testing`` its launcher makes the processes.
"""

import os

from ssd.upstart import states
from ssd.upstart.errors import JobError, StageFailed
from ssd.upstart.following.marks import MARKS
from ssd.upstart.processes.confinement import profile
from ssd.upstart.processes.controllers import Cgroups
from ssd.upstart.processes.forking import Failed, describe, fork
from ssd.upstart.processes.logs import Logs, path_of
from ssd.upstart.processes.scripts import Scripts
from ssd.upstart.processes.settings import plan_for
from ssd.upstart.processes.steps import LOG, NONE
from ssd.upstart.processes.words import compose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.processes.contract import ProcessTable
    from ssd.supervision.effects.held import OwnChild
    from ssd.supervision.unit import Unit
    from ssd.supervision.watch import Watch
    from ssd.upstart.job import Job
    from ssd.upstart.processes.logs import Log
    from ssd.upstart.processes.steps import Plan


class Processes:
    """The processes of all jobs of a supervisor.

    table: where they are. watch: what waits for terminals and pipes. tell(level, text): init's
    messages. log_directory: None keeps no output. strict: do as Upstart does where that is a defect
    (docs/reference/divergences.md). traced: called in a child right before execve(2) of a main
    process that is to be followed; None follows none.
    """

    __slots__ = (
        "table", "watch", "tell", "logs", "traced",
        "strict", "_is_user", "_scripts", "_cgroups",
    )  # fmt: skip

    def __init__(
        self,
        jobs_table: "ProcessTable",
        watch: "Watch",
        tell: "Callable[[str, str], object]",
        log_directory: "str | None",
    ) -> None:
        self.table = jobs_table
        self.watch = watch
        self.tell = tell
        self.logs = Logs(log_directory, watch, tell)
        self.traced: Callable[[], object] | None = MARKS.apply
        self._is_user = os.geteuid() != 0
        self.strict = False
        self._scripts = Scripts(watch)
        self._cgroups = Cgroups(tell)

    def start(self, job: "Job", stage: str, environment: "dict[str, str]") -> "OwnChild":
        """Start the process of a stage; return it once it is executed.

        environment: all of it. Raises StageFailed.
        """
        words, script = compose(job.file.stages[stage])
        if self.table.launcher is not None:
            return self._launch(job, stage, words, environment)
        plan = plan_for(job, stage, words, environment)
        plan.strict = self.strict
        if self._is_user:  # whose jobs begin as their supervisor did
            plan.umask = job.file.umask
            plan.directory = job.file.chdir
        if stage != states.SECURITY:
            plan.cgroups = self._cgroups.prepare(job, environment)
        if stage == states.MAIN:
            plan.profile = self._profile(job, environment)
            plan.traced = self.traced if job.file.expect in ("fork", "daemon") else None
        try:
            child = self._fork(job, stage, plan, script)
        except Failed as failure:
            raise StageFailed(job.label, stage, str(failure)) from None
        except OSError as error:
            raise StageFailed(
                job.label, stage, describe("fork", error.strerror or str(error))
            ) from error
        return child

    def _profile(self, job: "Job", environment: "dict[str, str]") -> str:
        """Return the AppArmor profile of a main process; "" without one. Raises StageFailed."""
        try:
            return profile(job.file.apparmor_switch, environment, self.tell)
        except JobError as error:
            raise StageFailed(job.label, states.MAIN, describe("profile", str(error))) from None

    def _fork(self, job: "Job", stage: str, plan: "Plan", script: "str | None") -> "OwnChild":
        """Start a process with its terminal and the pipe of its script."""
        writing = -1
        self._open_terminal(job, stage, plan)
        try:
            if script is not None:
                plan.script, writing = os.pipe()
            child = fork(plan, self.tell)
        except BaseException:
            if (log := _log_of(job)) is not None:
                log.discard(stage)
            if writing >= 0:
                os.close(writing)
            raise
        finally:
            for fd in (plan.terminal, plan.script):
                if fd >= 0:
                    os.close(fd)
        if script is not None:
            self._scripts.feed(writing, os.fsencode(script))
        return child

    def _open_terminal(self, job: "Job", stage: str, plan: "Plan") -> None:
        """Have a terminal for a stage whose output is kept; without one it is dropped."""
        if plan.console != LOG:
            return
        log = _log_of(job)
        if log is None:
            log = self.logs.log(job.file.name, job.instance, job.label)
            job.log = log  # type: ignore[assignment]
        if log is None:
            plan.console = NONE
            return
        try:
            plan.terminal = log.open_terminal(stage)
        except OSError:
            self.tell("error", "Failed to create pty - disabling logging for job")
            plan.console = NONE

    def _launch(
        self, job: "Job", stage: str, words: "list[str]", environment: "dict[str, str]"
    ) -> "OwnChild":
        """Have the table make the process."""
        from ssd.errors import StartFailed
        from ssd.matching import Match
        from ssd.starting import Start
        from ssd.starting.command import Command

        assert self.table.launcher is not None
        own = self.table.own_pid()
        start = Start(
            Match(pid=own, ppid=own),  # which nobody is: the same program may run already
            Command(words, environment=environment), background=False, make_pidfile=False,
            warn=lambda *omission: None, say=lambda *event: None, table=self.table,
        )  # fmt: skip
        start.new_session = True
        try:
            child: OwnChild = self.table.launcher.launch(start)  # type: ignore[assignment]
        except StartFailed as error:
            raise StageFailed(
                job.label, stage, describe(error.stage, error.reason or "")
            ) from error
        return child

    def ended(self, job: "Job", stage: str) -> None:
        """Write what a stage has left in its terminal, as its process was reaped, and close it."""
        if (log := _log_of(job)) is not None:
            log.finish(stage)
        if job.file.cgroups:
            self._cgroups.leave(job)

    def terminals(self, job: "Job") -> "dict[str, int]":
        """Return the descriptors of the terminals of a job's stages."""
        return {} if (log := _log_of(job)) is None else log.terminals()

    def take_terminal(self, job: "Job", stage: str, fd: int) -> None:
        """Go on with a terminal that the program before in this process has left open."""
        if job.log is None:
            job.log = self.logs.log(job.file.name, job.instance, job.label)  # type: ignore[assignment]
        if (log := _log_of(job)) is None:
            os.close(fd)
        else:
            log.take_terminal(stage, fd)

    def log_path(self, unit: "Unit") -> "str | None":
        """Return where the output of a job is kept, None if it is not."""
        job: Job = unit  # type: ignore[assignment]
        if self.logs.directory is None or job.file.console != LOG:
            return None
        return path_of(self.logs.directory, job.file.name, job.instance)

    def write_logs(self) -> None:
        """Write the output of ended jobs that could not be written: the disk is writable now."""
        self.logs.write_kept()

    def close(self) -> None:
        """Let all go; processes that run on have no terminals any more."""
        self._scripts.close()
        self.logs.close()


def _log_of(job: "Job") -> "Log | None":
    """Return the log of an instance, once it has one: it is no log of a service."""
    return job.log  # type: ignore[return-value]

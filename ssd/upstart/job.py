"""One instance of a job: where it is in its life, and the work of each state.

``ssd.upstart.states`` decides what follows. Nothing here waits: an end of a process, an event that
is finished or a timer brings the job on.
"""

from ssd.supervision import events
from ssd.supervision.unit import Unit
from ssd.upstart import ends, states, telling
from ssd.upstart.errors import StageFailed
from ssd.upstart.events.blocking import Blocking
from ssd.upstart.events.conditions import Matcher
from ssd.upstart.events.emissions import Emission
from ssd.upstart.respawns import Respawns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.supervisor import Timer
    from ssd.upstart.classes import JobClass
    from ssd.upstart.contract import Child, Follower
    from ssd.upstart.jobs import Jobs

_ON_THE_WAY_UP = (states.SECURITY, states.PRE_START, states.POST_START)


class Job(Unit):
    """A job in an engine.

    job_class: its class. instance: the name of the instance, mostly empty. goal, state: as
    ``ssd.upstart.states`` names them. main: its main process; ``processes`` has all that run, by
    stage. variables: those of its processes; stop_variables: what a stop has added for pre-stop
    and post-stop. failed: whether a process of it has failed since its last start, ``failed_stage``
    which ("" for a respawn that was too fast), ``failed_status`` how (None: it never ran).
    """

    __slots__ = ("jobs", "job_class", "file", "instance", "label", "processes", "variables",
                 "follower", "start_variables", "stop_variables", "failed", "failed_stage",
                 "failed_status", "blocking", "stop_on", "respawns", "restarts_now", "_kill",
                 "_patience", "_moving", "blocker")  # fmt: skip

    def __init__(self, job_class: "JobClass", instance: str = "") -> None:
        super().__init__(job_class.jobs, job_class.file.service)
        self.jobs: Jobs = job_class.jobs
        self.job_class = job_class
        self.instance = instance
        self.label = f"{job_class.name} ({instance})" if instance else job_class.name
        self.processes: dict[str, Child] = {}
        self.follower: Follower | None = None
        self.blocking = Blocking(job_class.jobs.call)
        self._kill: Timer | None = None
        self._patience: Timer | None = None
        self._moving = False
        self.begin()

    def begin(self) -> None:
        """Be as new, by the definition that counts now; how it has ended is still told."""
        self.file = self.job_class.file
        self.service = self.file.service
        self.variables: dict[str, str] = {}
        self.start_variables: dict[str, str] | None = None
        self.stop_variables: dict[str, str] = {}
        self.failed, self.failed_stage = False, ""
        self.failed_status: int | None = None
        self.stop_on = None if self.file.stop_on is None else Matcher(self.file.stop_on)
        self.respawns = Respawns()
        self.restarts_now = False
        self.restarts = 0
        self.blocker: Emission | None = None

    @property
    def name(self) -> str:
        """The name as a unit: that of the job, and the instance in parentheses."""
        return self.label

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it runs, and nothing is about to."""
        return self.state == states.WAITING and self.goal == states.STOP

    # Goals.

    def wish(self, goal: str) -> None:
        """Change the goal; a job that rests or runs begins to move, others come to it in time."""
        if self.goal == goal:
            return
        telling.change(self, "goal", self.goal, goal)
        rested, self.goal = self.at_rest, goal
        self.jobs.active += rested - self.at_rest
        if goal == states.START:
            self._cancel_patience()
        resting = states.WAITING if goal == states.START else states.RUNNING
        if self.state == resting and goal != states.RESPAWN:
            self.go_on()
        if not self.at_rest:
            self.jobs.record(self)

    def halt(self) -> None:
        """Change the goal to stop because somebody wishes it, and end what that would wait for.

        Upstart waits as long as it takes. Here a process that is to fork or to stop itself is
        stopped at once, and one of a stage on the way up when it has had the kill timeout.
        """
        self.wish(states.STOP)
        if self.jobs.strict or self.goal != states.STOP:
            return
        stage = self.state
        if stage == states.SPAWNED:
            self.end_follower()
            self.go_on()
        elif stage in _ON_THE_WAY_UP and stage in self.processes:
            seconds = self.file.kill_timeout
            self._patience = self.jobs.after(seconds, lambda: ends.kill(self, stage))

    def end(self) -> None:
        """Have it stopped, as a supervisor's shutdown does."""
        if self.goal != states.STOP:
            self.supersede()
            self.halt()

    def supersede(self) -> None:
        """Let a new wish take the place of the one before, whose waiters are answered."""
        self.blocking.release(False)
        self.restarts_now = False

    def hurry(self) -> None:
        """Kill at once all of it that runs and is to stop: at the end of the engine, any job."""
        if self.jobs.ending:
            self.end()
        if self.goal == states.STOP:
            ends.kill_all(self)

    # States.

    def go_on(self) -> None:
        """Enter the state that follows, and those after it, until one has something to wait for."""
        if self._moving:
            return  # what it does now goes on by itself
        self._moving = True
        try:
            while self._step():
                pass
        finally:
            self._moving = False

    def _step(self) -> bool:
        """Enter one state; tell whether its work is done at once."""
        before = self.state
        state = states.follow(before, self.goal, self.main is not None, self.restarts_now)
        if self.goal == states.RESPAWN:
            self.goal = states.START  # on its way down it is a job that is to run
        self._cancel_patience()
        telling.change(self, "state", before, state)
        self.state = state
        return _ENTER[state](self, before)

    def _start(self, before: str) -> bool:
        self.variables = self.start_variables or self.variables
        self.start_variables = None
        self.stop_variables = {}
        self.failed, self.failed_stage, self.failed_status = False, "", None
        self.restarts_now, self.completed, self.failure = False, False, None
        self.jobs.say(events.Starting(self.jobs.wall(), self.label))
        self._emit("starting", blocks=True)
        self.known = True
        self.jobs.record(self)
        return False

    def _run_stage(self, before: str) -> bool:
        """Start the process of a stage; without one, or if it fails, the stage is over."""
        stage = self.state
        if stage not in self.file.stages or self.jobs.effects.hurried:
            return True
        if not self._spawn_stage(stage):
            if stage == states.POST_STOP or stage in (states.PRE_START, states.SECURITY):
                self.fail(stage, None)
                self._give_up_start()
            return True
        return False

    def _secure(self, before: str) -> bool:
        """Load the AppArmor profile, where there is AppArmor."""
        if states.SECURITY not in self.file.stages:
            return True
        from ssd.upstart.processes import confinement

        return not confinement.is_available() or self._run_stage(before)

    def _run_main(self, before: str) -> bool:
        if states.MAIN not in self.file.stages:
            return True
        if not self._spawn_stage(states.MAIN):
            self.fail(states.MAIN, None)
            self._give_up_start()
            return True
        return not ends.follow(self, self.file.expect)

    def _give_up_start(self) -> None:
        """Change the goal without a move: the state that follows is entered next."""
        self.goal = states.STOP

    def _run(self, before: str) -> bool:
        jobs = self.jobs
        if before == states.PRE_STOP:
            self.stop_variables = {}
            self.blocking.release(False)
        else:
            self.ready_at = jobs.table.now()
            jobs.say(events.Ready(jobs.wall(), self.label))
            self._emit("started")
            if not self.file.task:
                self.blocking.release(False)
        jobs.record(self)
        return False

    def _leave(self, before: str) -> bool:
        self.jobs.say(events.Stopping(self.jobs.wall(), self.label))
        self._emit("stopping", blocks=not self.jobs.effects.hurried)
        self.jobs.record(self)
        return self.blocker is None

    def _end_main(self, before: str) -> bool:
        if self.main is None:
            return True
        self.jobs.record(self)
        ends.kill(self, states.MAIN)
        return False

    def _rest(self, before: str) -> bool:
        jobs = self.jobs
        self.completed = self.file.task and not self.failed
        jobs.active -= 1
        self._emit("stopped")
        telling.stopped(self)
        self.blocking.release(False)
        if self.stop_on is not None:
            self.stop_on.reset()
        if self.at_rest:
            self.known = False
            if jobs.journal is not None:
                jobs.journal.forget(self.label)
            jobs.rested(self)
        return False

    # Processes.

    def _spawn_stage(self, stage: str) -> bool:
        """Start the process of a stage; tell whether it runs."""
        jobs = self.jobs
        variables = dict(self.variables)
        if stage in (states.PRE_STOP, states.POST_STOP):
            variables.update(self.stop_variables)
        variables["UPSTART_JOB"], variables["UPSTART_INSTANCE"] = self.file.name, self.instance
        if jobs.session:
            variables["UPSTART_SESSION"] = jobs.session
        jobs.record(self)  # so that a successor looks for it
        try:
            child = jobs.processes.start(self, stage, variables)
        except StageFailed as error:
            jobs.tell("warn", str(error))
            return False
        jobs.tell("info", f"{self.label} {stage} process ({child.pid})")
        self.hold(stage, child)
        if stage == states.MAIN:
            jobs.say(events.Started(jobs.wall(), self.label, child.pid))
        if stage != states.MAIN or self.file.expect == "none":
            jobs.record(self)  # else when it is known what is expected of it
        return True

    def hold(self, stage: str, child: "Child") -> None:
        """Watch a process as that of a stage."""
        self.processes[stage] = child
        if stage == states.MAIN:
            self.main = child
            self.since = self.jobs.table.now()
        self.jobs.watch.hold(child, lambda: ends.look(self, stage, child))

    def let_go(self, stage: str) -> None:
        """Forget the process of a stage."""
        child = self.processes.pop(stage)
        self.jobs.watch.release(child)
        child.close()
        if stage == states.MAIN:
            self.main = self.since = None

    def take_main(self, child: "Child") -> None:
        """Make another process the main one, as a fork has made it, and go on: it is started."""
        self.end_follower()
        if child is not self.main:
            self.move_main(child)
            self.jobs.say(events.Started(self.jobs.wall(), self.label, child.pid))
        if self.state == states.SPAWNED:
            self.go_on()

    def move_main(self, child: "Child") -> None:
        """Make another process the main one: one that is to fork once more, for example."""
        if states.MAIN in self.processes:
            self.let_go(states.MAIN)
        self.hold(states.MAIN, child)
        self.jobs.record(self)

    def end_follower(self) -> None:
        """Expect nothing more of a program that was to fork or to stop itself."""
        follower, self.follower = self.follower, None
        if follower is not None:
            follower.end()

    def fail(self, stage: str, status: int | None) -> None:
        """Have the job count as failed since its start, and tell those that wait for it.

        status: as in ``ssd.supervision.events.Exited``; None if the process never ran.
        """
        if self.failed:
            return
        self.failed, self.failed_stage, self.failed_status = True, stage, status
        self.blocking.release(True)

    def cancel_kill(self) -> bool:
        """Kill nothing more; tell whether a kill was on its way."""
        timer, self._kill = self._kill, None
        if timer is not None:
            self.jobs.cancel(timer)
        return timer is not None

    def kill_later(self, stage: str) -> None:
        """Kill the process of a stage when it has had its kill timeout."""
        self.cancel_kill()
        seconds = self.file.kill_timeout
        self._kill = self.jobs.after(seconds, lambda: ends.kill_hard(self, stage))

    def _cancel_patience(self) -> None:
        timer, self._patience = self._patience, None
        if timer is not None:
            self.jobs.cancel(timer)

    def _emit(self, name: str, blocks: bool = False) -> None:
        """Emit an event about the job; if it ``blocks``, the job goes on when it is finished."""
        emission = Emission(name, telling.pairs(self, name))
        if blocks:
            self.await_event(emission)
        self.jobs.add(emission)

    def await_event(self, emission: Emission) -> None:
        """Go on when an event is finished."""
        self.blocker, emission.done = emission, self.unblocked

    def unblocked(self, emission: "Emission | None") -> None:
        """Go on, unless it is no longer this event that the job waits for."""
        if self.blocker is emission is not None:
            self.blocker = None
            self.go_on()

    def status(self) -> str:
        """Return what ``status`` prints of it, without the newline at the end."""
        return telling.status(self)

    def __repr__(self) -> str:
        return f"<Job {self.label} {self.goal}/{self.state}>"


_ENTER = {
    states.STARTING: Job._start,
    states.SECURITY: Job._secure,
    states.PRE_START: Job._run_stage,
    states.SPAWNED: Job._run_main,
    states.POST_START: Job._run_stage,
    states.RUNNING: Job._run,
    states.PRE_STOP: Job._run_stage,
    states.STOPPING: Job._leave,
    states.KILLED: Job._end_main,
    states.POST_STOP: Job._run_stage,
    states.WAITING: Job._rest,
}

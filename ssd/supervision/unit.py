"""One service in a supervisor: where it is in its life, and the work of each state.

``ssd.supervision.states`` decides what follows; a unit does what a state is for when it enters
it, and feeds the supervisor what came of it. Nothing here waits.
"""

from ssd.errors import AlreadyRunning, Error
from ssd.matching import Process
from ssd.stopping import SURVIVED as OUTLIVED
from ssd.supervision import events, gates, states
from ssd.supervision.effects import hooks
from ssd.supervision.effects.held import Exit, Held, OwnChild
from ssd.supervision.restarts import AGAIN, ALWAYS, LOST, History, judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.logs import Log
    from ssd.service.declaration import Service
    from ssd.stopping import Round, Stop
    from ssd.supervision.readiness.gate import Gate
    from ssd.supervision.readiness.health import Checks
    from ssd.supervision.supervisor import Supervisor, Timer

KILL = 9
LAST_LINES = 10  # of output, that the event of a service given up has
MOST_STOPS = 4  # that are kept: one that is hurried, or of a start that fails, is followed by more


class Unit:
    """A service and its life.

    service: its declaration. goal, state: see ``ssd.supervision.states``. main: its main process
    as a handle, or None. since, ready_at: when it was started and ready, in seconds of
    ``table.now()``, or None. restarts: since somebody started it.
    last: its last Exit, or None. next_attempt: time of ``table.now()`` at which it comes back.
    failure: why it was given up, or None. status_text: what it says it does (STATUS=). healthy:
    False while its health check fails. completed: whether it is a task that has done its work.
    stops: the signals of its last stops (``ssd.stopping.Round``), each stop a list of them.
    """

    __slots__ = (
        "service", "supervisor", "goal", "state", "main", "left", "hook", "since", "ready_at",
        "restarts", "last", "next_attempt", "failure", "status_text", "healthy", "completed",
        "history", "changed", "removed", "known", "log", "token", "hook_mark", "gate", "health",
        "written", "stops", "_timer", "_stop", "_seconds",
    )  # fmt: skip

    def __init__(self, supervisor: "Supervisor", service: "Service") -> None:
        self.supervisor = supervisor
        self.service = service
        self.goal, self.state = states.STOP, states.WAITING
        self.main: OwnChild | Held | None = None
        self.left: Process | None = None  # has ended, and may have left more
        self.hook: OwnChild | Held | None = None
        self.since: float | None = None
        self.ready_at: float | None = None
        self.restarts, self._seconds = 0, 0.0
        self.last: Exit | None = None
        self.next_attempt: float | None = None
        self.failure: str | None = None
        self.status_text, self.healthy, self.completed = "", True, False
        self.history = History()
        self.changed: Service | None = None  # a new declaration, which the next start uses
        self.removed = self.known = False  # known: a successor must know of it
        self.log: Log | None = None
        self.token = ""  # of the last start: ssd.supervision.effects
        self.hook_mark: tuple[str, str] | None = None  # field and token of a hook that runs
        self.gate: Gate | None = None
        self.health: Checks | None = None
        self.written: tuple[int, ...] | None = None  # the pidfile, as this supervisor wrote it
        self._timer: Timer | None = None
        self.stops: list[list[Round]] = []
        self._stop: Stop | None = None

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def process(self) -> Process | None:
        """Its main process, None if it has none."""
        return None if self.main is None else Process(self.main.pid, self.main.start_time)

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it runs, and nothing is about to: stopped, or given up."""
        return self.state in states.AT_REST and self.goal == states.STOP

    @property
    def is_up(self) -> bool:
        """Whether it works, so that what waits for it may start."""
        return self.state == states.RUNNING or self.completed

    def take(self, given: str) -> None:
        """Take an input: change the goal and the state, and do what the state is for."""
        rested, goal = self.at_rest, self.goal
        self.goal, state = states.follow(goal, self.state, given, self.failure is not None)
        self.known = True
        if state is None:
            if self.goal != goal:
                self.supervisor.record(self)
            return
        self._cancel()
        if state == states.STOPPING and self.main is not None and self.state != states.PRE_STOP:
            self.say(events.Stopping(self.supervisor.wall(), self.name))
        self.state = state
        self.supervisor.active += rested - self.at_rest
        self.enter()
        if state in states.KEPT:
            self.supervisor.record(self)

    def enter(self) -> None:
        """Do what the state is for."""
        _ENTER[self.state](self)

    def want(self) -> None:
        """Have it started in the next turn; others know from now on that it comes."""
        if self.at_rest:
            self.goal = states.START
            self.supervisor.active += 1
        self.supervisor.feed(self, states.DO_START)

    def end(self) -> None:
        """Have it stopped in the next turn, once more if its main process has outlived a stop."""
        if again := self.state == states.FAILED and self.main is not None:
            self.failure = None
        self.supervisor.feed(self, states.DO_RETRY if again else states.DO_STOP)

    def begin_anew(self) -> None:
        """Forget earlier failures and restarts: somebody has started it."""
        self.history = History()
        self.restarts = 0
        self.failure = None

    def take_changes(self) -> None:
        """Use a changed declaration from now on."""
        if self.changed is not None:
            self.supervisor.effects.leave_pidfile(self, self.changed.pidfile)
            self.service, self.changed = self.changed, None
            self.supervisor.outputs.changed(self)

    # What each state is for.

    def _wait(self) -> None:
        if self.goal != states.RESPAWN:
            self.next_attempt = None
            self.say(events.Stopped(self.supervisor.wall(), self.name))
            gates.settled(self.supervisor, self)
            return
        seconds, row = self._seconds, self.history.row
        self.say(events.Restarting(self.supervisor.wall(), self.name, seconds, row))
        self.wait_until(self.supervisor.table.now() + seconds)

    def wait_until(self, time: float) -> None:
        """Start again at a time of ``table.now()``."""
        self.next_attempt = time
        if time > self.supervisor.table.now():
            self._timer = self.supervisor.at(time, self._due)
        else:
            self._due()

    def _due(self) -> None:
        self.next_attempt = None
        self.supervisor.feed(self, states.DUE)

    def _ask_to_start(self) -> None:
        self.take_changes()
        self.failure, self.completed = None, False
        gates.check_start(self.supervisor, self)

    def _prepare(self) -> None:
        self.say(events.Starting(self.supervisor.wall(), self.name))
        if self.service.directories:
            from ssd.service.verbs.preparing import make_directories

            try:
                make_directories(self.service.directories)
            except (Error, OSError) as error:
                self.attempt_failed(events.describe_error(error))
                return
        hooks.run(self, "before_start")

    def _spawn(self) -> None:
        supervisor = self.supervisor
        if supervisor.ending:
            supervisor.feed(self, states.DO_STOP)
            return
        if self.main is not None:  # it has outlived its stop, and is wanted again
            self.say(events.Adopted(supervisor.wall(), self.name, self.main.pid))
            supervisor.feed(self, states.READY)
            return
        self.ready_at = self.left = None
        try:
            self.main = supervisor.effects.spawn(self)
        except AlreadyRunning as error:
            try:
                self.adopt(error.processes[0])
            except ProcessLookupError:
                self.attempt_failed("the process that ran has just ended")
            return
        except (Error, OSError) as error:
            self.attempt_failed(events.describe_error(error))
            return
        self.since, self.ready_at = supervisor.table.now(), None
        self.status_text, self.healthy = "", True
        supervisor.record(self)
        supervisor.watch.hold(self.main, self.main_ended)
        self.say(events.Started(supervisor.wall(), self.name, self.main.pid))
        supervisor.effects.await_ready(self)

    def adopt(self, process: Process) -> None:
        """Watch a process that runs already as the main process; it counts as ready.

        Raises ProcessLookupError if it has ended.
        """
        supervisor = self.supervisor
        self.main = Held(supervisor.table.open(process))
        self.since = supervisor.table.now()
        supervisor.record(self)
        supervisor.watch.hold(self.main, self.main_ended)
        self.say(events.Adopted(supervisor.wall(), self.name, process.pid))
        supervisor.feed(self, states.READY)

    def _greet(self) -> None:
        self.ready_at = self.supervisor.table.now()
        hooks.run(self, "after_start")

    def _work(self) -> None:
        self.say(events.Ready(self.supervisor.wall(), self.name))
        self.supervisor.effects.begin_checks(self)
        gates.opened(self.supervisor, self)

    def _announce(self) -> None:
        self.say(events.Stopping(self.supervisor.wall(), self.name))
        hooks.run(self, "before_stop")

    def _ask_to_stop(self) -> None:
        self.supervisor.effects.end_checks(self)
        gates.check_stop(self.supervisor, self)

    def _end(self) -> None:
        """Stop what is left of it: its main process, or the hook before its start."""
        target = self.main if self.main is not None else self.hook
        self._stop = self.supervisor.effects.begin_stop(self, target)
        if self._stop is None:
            self.supervisor.feed(self, states.EMPTY)
        else:
            self.stops = [*self.stops[1 - MOST_STOPS :], self._stop.rounds]
            self.drive()

    def drive(self) -> None:
        """Carry the stop on: do what is due, and wait for the rest."""
        stop, watch = self._stop, self.supervisor.watch
        if stop is None:
            return
        for handle in stop.handles:
            watch.release(handle)
        self._cancel()
        if not stop.step():
            for handle in stop.handles:
                watch.hold(handle, self.drive)
            if stop.until is not None:
                self._timer = self.supervisor.at(stop.until, self.drive)
            return
        self._stop = None
        if stop.failure is not None:
            self.complain(events.describe_error(stop.failure))
        if self.main is not None and self.main.ended():
            self.main_ended()
        if stop.outcome == OUTLIVED or self.main is not None:
            how = "outlived its stop" if stop.outcome == OUTLIVED else "could not be stopped"
            self.failure = f"it {how}"
            self.supervisor.feed(self, states.SURVIVED)
        else:
            self.supervisor.feed(self, states.EMPTY)

    def hurry(self) -> None:
        """Kill at once what is being stopped, and hooks that are waited for."""
        if self.state in (states.PRE_STOP, states.POST_STOP):
            self._kill_hook()
        if self._stop is not None:
            for handle in self._stop.handles:
                self.supervisor.watch.release(handle)
            self._end()

    def _kill_hook(self) -> None:
        """End a hook that is waited for too long, or that the stop has overtaken."""
        if self.hook is None or self.hook.ended():
            return
        # It leads a group, with the commands that it waits for; while it lives, that is its own.
        self.supervisor.table.kin.signal_group(self.hook.pid, KILL)

    def _clean(self) -> None:
        self.left = None
        self._kill_hook()
        self.supervisor.effects.clean(self)
        hooks.run(self, "after_stop")

    def _give_up(self) -> None:
        self.left = self.next_attempt = None
        lines = self.supervisor.outputs.last_lines(self, LAST_LINES)
        wall, status = self.supervisor.wall(), None if self.last is None else self.last.status
        self.say(events.Failed(wall, self.name, self.failure or "it failed", status, lines))
        gates.settled(self.supervisor, self)

    # What comes of it.

    def attempt_failed(self, reason: str) -> None:
        """Judge a start that has failed; a main process that it left is stopped."""
        self.judge(None, reason)
        if self.failure is None:  # it is tried again; else the event of the failure has the reason
            self.complain(f"its start failed: {reason}")

    def judge(self, status: int | None, what: str, again: str = AGAIN) -> None:
        """Judge an end; ``again`` SICK: one to come, whatever ``when`` of the policy says."""
        now, chance = self.supervisor.table.now(), self.supervisor.random()
        uptime = 0.0 if self.ready_at is None else now - self.ready_at
        policy = self.service.respawn
        if again == states.SICK:
            policy = {**policy, "when": ALWAYS}
        verdict = judge(policy, self.history, status, uptime, now, chance, what)
        if verdict.input == AGAIN:
            self._seconds = verdict.seconds
            if self.goal != states.STOP:
                self.restarts += 1
        elif verdict.input == LOST and self.goal != states.STOP:
            self.failure = verdict.reason
        elif self.service.task:
            self.completed = True
        self.supervisor.feed(self, again if verdict.input == AGAIN else verdict.input)

    def main_ended(self) -> None:
        """Reap the main process and judge its end."""
        if self.supervisor.effects.notify is not None:
            self.supervisor.effects.notify.hear_last(self)
        main, gate = self.main, self.gate
        if main is None:
            return
        try:
            status = main.poll()
            if status is None:
                return  # it is another now, or still held by a tracer (ptrace(2))
        except ChildProcessError:
            status = None  # it was not our child, or other code has reaped it
        self._let_go()
        self.left = main
        if gate is not None and gate.keeps(status):
            return
        self.supervisor.outputs.ended(self)
        self.last = Exit(status, self.supervisor.wall())
        self.say(events.Exited(self.last.time, self.name, main.pid, status))
        if self.state in (states.KILLED, states.POST_STOP, *states.AT_REST):
            self.drive()
            return
        what = f"it {events.describe_end(status)}"
        if self.state in (states.PRE_STOP, states.STOPPING) or (gate is not None and gate.is_over):
            self.supervisor.feed(self, states.OVER)  # it is being stopped, or was judged before
        elif gate is None:
            self.judge(status, what)
        else:
            self.judge(status or None, f"{what} before {gate.phase}")

    def _let_go(self) -> None:
        """Release the main process, which has ended."""
        if self.main is not None:
            self.supervisor.watch.release(self.main)
            self.main.close()
        self.main = self.since = None

    def complain(self, text: str) -> None:
        """Tell of a problem that stops nothing."""
        self.say(events.StatusText(self.supervisor.wall(), self.name, text))

    def say(self, event: events.Event) -> None:
        """Tell of an event."""
        self.supervisor.say(event)

    def _cancel(self) -> None:
        if self._timer is not None:
            self.supervisor.cancel(self._timer)
            self._timer = None

    def __repr__(self) -> str:
        return f"<Unit {self.name} {self.goal}/{self.state}>"


_ENTER = {
    states.WAITING: Unit._wait,
    states.STARTING: Unit._ask_to_start,
    states.PRE_START: Unit._prepare,
    states.SPAWNED: Unit._spawn,
    states.POST_START: Unit._greet,
    states.RUNNING: Unit._work,
    states.PRE_STOP: Unit._announce,
    states.STOPPING: Unit._ask_to_stop,
    states.KILLED: Unit._end,
    states.POST_STOP: Unit._clean,
    states.FAILED: Unit._give_up,
}

"""What holds a started service back until it is ready (``readiness`` of its declaration).

Nothing waits here: each kind is an event or a timer of the supervisor. Only what has no event is
asked again and again, while the service starts: a command, a port that does not answer yet, a
pidfile that is not written yet, a process that stops itself.
"""

from ssd.errors import Error
from ssd.signals import raw as signals
from ssd.supervision import states
from ssd.supervision.readiness import following, needs
from ssd.supervision.readiness.probes import Attempts, probe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Process
    from ssd.supervision.readiness.probes import Attempt, Done, Probe
    from ssd.supervision.supervisor import Timer
    from ssd.supervision.unit import Unit

# Seconds between the first two attempts.
SOON, LATER = 0.01, 0.1
# Seconds to go to the background, or to stop itself, if the timeout of readiness is the time for
# which the service must run.
TIME_TO_DETACH = 60


class Gate:
    """The wait for one start to be ready.

    ``is_over``: whether this start was judged. ``phase``: what an end of the process came before.
    ``has_followed``: whether the program has gone to the background, and its daemon is known.
    taken_over: whether an earlier supervisor has begun the start.
    """

    __slots__ = (
        "unit",
        "is_over",
        "phase",
        "has_followed",
        "_taken_over",
        "_timer",
        "_attempts",
        "_follower",
        "_told",
    )

    def __init__(self, unit: "Unit", taken_over: bool = False, has_followed: bool = False) -> None:
        self.unit = unit
        self.is_over = False
        self.has_followed = has_followed
        self._taken_over = taken_over
        self.phase = "it was ready"
        self._timer: Timer | None = None
        self._attempts: Attempts | None = None
        self._follower: following.Follower | None = None
        self._told = False

    def begin(self) -> None:
        """Begin to wait: first for the process that stays, then for what it must do."""
        unit = self.unit
        self._timer = unit.supervisor.after(self._patience(), self._late)
        if needs.background(unit.service) and not self.has_followed:
            self._follower = following.Follower(unit)
            self.phase = "it went to the background"
        elif unit.service.expect == "stop":
            self._repeat(self._try_stopped, self._await_readiness, SOON)
        else:
            self._await_readiness()

    def _patience(self) -> float:
        """Return the seconds after which the start is late."""
        given = self.unit.service.readiness
        return TIME_TO_DETACH if given["kind"] == "stays" else given["timeout"]

    def end(self) -> None:
        """End the wait."""
        self.is_over = True
        self._cancel()
        self._end_attempts()

    def _cancel(self) -> None:
        if self._timer is not None:
            self.unit.supervisor.cancel(self._timer)
            self._timer = None

    # What happens meanwhile.

    @property
    def follows(self) -> bool:
        """Whether it waits for the process that stays."""
        return self._follower is not None

    def keeps(self, status: int | None) -> bool:
        """Take the end of the main process; tell whether the service goes on without it.

        So it does if this was the first process of a program that goes to the background, and
        may have succeeded: nobody knows that of one that an earlier supervisor has started.
        """
        if self._follower is None or status or self.is_over:
            return False
        self._repeat(self._try_follow, self._await_readiness, SOON)
        return True

    def main_is(self, process: "Process") -> None:
        """Take the word of the service that ``process`` is its main process from now on."""
        if not self.is_over and following.take_main(self.unit, process):
            self._await_readiness()

    def told_ready(self) -> None:
        """Take READY=1."""
        self._told = True
        if self._follower is None and self._attempts is None and not self.is_over:
            self._await_readiness()

    def extend(self, seconds: float) -> None:
        """Replace the time that is left."""
        if self._timer is not None and self._timer.call == self._late:
            self._cancel()
            self._timer = self.unit.supervisor.after(seconds, self._late)

    def fail(self, reason: str) -> None:
        """Give this start up."""
        if not self.is_over:
            self.end()
            self.unit.attempt_failed(reason)

    # The kinds.

    def _await_readiness(self) -> None:
        """Wait for what the declaration asks for, or for no more."""
        self._end_attempts()
        if self._follower is not None:
            self._follower, self.has_followed = None, True
            self.unit.supervisor.record(self.unit)
        self.phase = "it was ready"
        given = self.unit.service.readiness
        kind = given["kind"]
        if kind == "stays":
            self._await_life(given["timeout"])
        elif kind == "exec" or kind == "notify" and self._told:
            self._open()
        elif kind == "pidfile":
            self._repeat(self._try_pidfile, self._open, SOON)
        elif kind != "notify":
            self._repeat(self._try_kind, self._open, LATER if kind == "command" else SOON)

    def _await_life(self, seconds: float) -> None:
        """Wait until it has run for so long; its end before that is a failed start."""
        self.phase = f"it had run for {seconds:g} seconds"
        if self._timer is None or self._timer.call != self._open:  # READY=1 changes nothing
            self._cancel()
            self._timer = self.unit.supervisor.after(seconds, self._open)

    def _try_kind(self, done: "Done") -> "Probe":
        given = self.unit.service.readiness
        # The gate's own time is the limit: it ends the attempt.
        return probe(self.unit, given["kind"], given["command"], given["address"], None, done)

    def _try_pidfile(self, done: "Done") -> None:
        try:
            named = following.named(self.unit)
        except (Error, OSError) as error:  # for example, it is half written
            done(str(error))
        else:
            done(None if named is not None else following.UNNAMED.format(self.unit.service.pidfile))

    def _try_follow(self, done: "Done") -> None:
        follower = self._follower
        if follower is None:
            return
        try:
            process = follower.look()
            found = process is not None and following.take_main(self.unit, process)
        except (Error, OSError) as error:
            done(str(error))
        else:
            done(None if found else follower.reason)

    def _try_stopped(self, done: "Done") -> None:
        main = self.unit.main
        if main is None or not main.is_stopped():
            done("it has not stopped itself")
            return
        main.signal(signals.SIGCONT)
        done(None)

    def _repeat(self, attempt: "Attempt", succeeded: "Callable[[], object]", first: float) -> None:
        self._attempts = Attempts(self.unit, attempt, succeeded, first)
        self._attempts.begin()

    def _end_attempts(self) -> None:
        attempts, self._attempts = self._attempts, None
        if attempts is not None:
            attempts.end_probes()

    def _open(self) -> None:
        self.end()
        self.unit.gate = None
        self.unit.supervisor.feed(self.unit, states.READY)

    def _late(self) -> None:
        given = self.unit.service.readiness
        if self._taken_over and given["kind"] == "notify" and self._follower is None:
            # Nobody knows, and it runs.
            self.unit.complain("it may have said READY=1 while no supervisor listened")
            self._open()
            return
        reason = f"it was not ready within {self._patience():g} seconds"
        if self._attempts is not None and self._attempts.reason:
            reason += f": {self._attempts.reason}"
        elif self._follower is not None:
            reason += ": its first process has not ended"
        self.fail(reason)

"""Any order of wishes, events and ends: the engine keeps its promises (a Hypothesis machine)."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ssd.upstart import states
from ssd.upstart.errors import JobError
from ssd.upstart.job import Job
from upstart.machine import World

TEXTS = {
    "plain": "start on go or started task\nstop on halt\nexec x",
    "staged": "start on starting plain or (a and b)\nstop on stopping plain or halt\nexec x\n"
    "pre-start exec x\npost-start exec x\npre-stop exec x\npost-stop exec x\nkill timeout 2",
    "task": "task\nstart on stopping staged or go\nexec x\npost-stop exec x",
    "again": "respawn\nrespawn limit 2 10\nstart on go K=*\nexec x\npost-start exec x",
    "many": "instance $N\nstart on go N=*\nstop on halt N=$N\nexec x\npre-start exec x",
    "idle": "start on stopped many\nstop on starting many",
}
PAIRS = st.lists(st.sampled_from(["N=1", "N=2", "K=1", "=x"]), max_size=2)


class Engine(RuleBasedStateMachine):
    """Wishes, events, ends of processes and time, in any order."""

    strict = False

    def __init__(self) -> None:
        super().__init__()
        self.world = World(strict=self.strict, **TEXTS)
        self.open: dict[int, str] = {}  # wishes that have no answer yet
        self.count = 0
        self.removed: set[str] = set()

    def _done(self) -> "tuple[int, object]":
        self.count += 1
        number = self.count

        def done(error: JobError | None) -> None:
            assert number in self.open, "a wish was answered twice"
            del self.open[number]

        return number, done

    @rule(
        verb=st.sampled_from(["start", "stop", "restart", "reload"]),
        name=st.sampled_from(sorted(TEXTS)),
        pairs=PAIRS,
    )
    def wish(self, verb: str, name: str, pairs: list[str]) -> None:
        """Make a wish."""
        number, done = self._done()
        self.open[number] = f"{verb} {name}"
        try:
            getattr(self.world.jobs, f"{verb}_job")(name, pairs, done)
        except JobError:
            del self.open[number]
        self.world.jobs.advance()

    @rule(name=st.sampled_from(["go", "halt", "a", "b"]), pairs=PAIRS)
    def emit(self, name: str, pairs: list[str]) -> None:
        """Emit an event."""
        number, done = self._done()
        self.open[number] = f"emit {name}"
        self.world.jobs.emit(name, pairs, done)  # type: ignore[arg-type]
        self.world.jobs.advance()

    @rule(number=st.integers(0, 20), status=st.sampled_from([0, 1, -9, -15]))
    def end(self, number: int, status: int) -> None:
        """Let one of the processes end."""
        there = [child for job in self._jobs() for child in job.processes.values()]
        if there:
            self.world.table[there[number % len(there)].pid].die(0.0, status)
            self.world.jobs.advance()

    @rule(seconds=st.sampled_from([0.1, 2.5, 6.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.after(seconds)

    @rule(name=st.sampled_from(sorted(TEXTS)))
    def change(self, name: str) -> None:
        """Change a job file."""
        self.removed.discard(name)
        self.world.define(name, TEXTS[name] + "\nenv CHANGED=1")

    @rule(name=st.sampled_from(sorted(TEXTS)))
    def remove(self, name: str) -> None:
        """Remove a job file."""
        self.removed.add(name)
        self.world.jobs.undefine(name)

    def _jobs(self) -> list[Job]:
        found = []
        for unit in self.world.jobs.units.values():
            assert isinstance(unit, Job)
            found.append(unit)
        return found

    @invariant()
    def count_of_active_jobs_is_right(self) -> None:
        """``active`` decides when a shutdown is over."""
        active = sum(not job.at_rest for job in self._jobs())
        assert self.world.jobs.active == active

    @invariant()
    def jobs_at_rest_have_no_process(self) -> None:
        """And others have a life of their own."""
        for job in self._jobs():
            assert not (job.at_rest and job.processes)
            assert job.at_rest or job.job_class.instances.get(job.instance) is job

    @invariant()
    def processes_are_those_of_the_state(self) -> None:
        """A stage runs in its state alone; the main process from its start to its end."""
        for job in self._jobs():
            assert set(job.processes) <= {states.MAIN, job.state}
            assert (job.main is None) is (states.MAIN not in job.processes)

    def teardown(self) -> None:
        """At the end all can be stopped, and everybody who waits is answered."""
        for _ in range(30):
            self.world.jobs.shutdown()
            self.world.after(10)
            for job in self._jobs():
                for child in list(job.processes.values()):
                    if job.state != states.RUNNING and not self.world.table[child.pid].ended:
                        self.world.table[child.pid].die(0.0, 0)
            if not self.world.jobs.active:
                break
        self.world.settle()
        assert self.world.jobs.active == 0
        waiting = {text for text in self.open.values() if text not in ("emit a", "emit b")}
        assert not waiting  # a and b may wait for each other for ever
        assert not self.removed & set(self.world.jobs.classes)


class StrictEngine(Engine):
    """The same with Upstart's own behaviour."""

    strict = True


QUICK = settings(
    max_examples=60, stateful_step_count=30, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
TestEngine = Engine.TestCase
TestEngine.settings = QUICK
TestStrictEngine = StrictEngine.TestCase
TestStrictEngine.settings = QUICK

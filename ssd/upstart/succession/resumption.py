"""Take over the jobs that an earlier supervisor has left: they go on, and none is doubled.

What was cut off goes on where it was. A process of a stage is waited for; its end is known only to
its parent, so a pre-start whose end nobody has seen runs again, as nobody knows whether the job may
start, and other stages count as done. A stop begins anew. Events that were waited for block again
what they had blocked.
"""

import os
import stat

from ssd.service.sources.upstart import JobFile
from ssd.supervision import events as told
from ssd.supervision.control.json_text import NUMBER, row
from ssd.supervision.effects.held import Exit
from ssd.supervision.succession.adoption import UNSEEN, Missed, hold
from ssd.upstart import ends, states, telling
from ssd.upstart.events.emissions import Emission
from ssd.upstart.job import Job
from ssd.upstart.respawns import Respawns
from ssd.upstart.succession import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.supervision.succession.past import Past
    from ssd.upstart.jobs import Jobs
    from ssd.upstart.succession.records import Named, Record

# The state before each that has a process.
_BEFORE = {
    states.SECURITY: states.STARTING, states.PRE_START: states.SECURITY,
    states.SPAWNED: states.PRE_START, states.POST_START: states.SPAWNED,
    states.PRE_STOP: states.RUNNING, states.POST_STOP: states.KILLED,
}  # fmt: skip
_EVENTS = {states.STARTING: "starting", states.STOPPING: "stopping"}


def resume(jobs: "Jobs", past: "Past", handed: bool = False) -> bool:
    """Set all jobs to where the past left them; tell whether they have seen the first events.

    handed: whether the program before in this process has left it, with its terminals.
    """
    if past.is_same is False or not past.records:
        return False
    own = past.records.pop(records.OWN, None)
    if own is not None:
        _set(jobs, own, handed)
    pool = Pool(jobs)
    unseen = [name for name in past.records if name.startswith(records.UNSEEN)]
    for record in [past.records.pop(name) for name in unseen]:
        for event, pairs in records.events(record, "seen"):
            jobs.add(Emission(event, pairs))
    halves = [name for name in past.records if name.startswith(records.HALF)]
    for name in halves:
        _see_half(jobs, name.removeprefix(records.HALF), past.records.pop(name))
    same = own is not None and own.get("pid") == os.getpid()
    alive = filter(_lives, past.records.values())
    resumed = [Resumption(jobs, each, pool, same) for each in alive]
    pids = {each.pid for one in resumed for each in one.known.values()}
    for one in resumed:
        one.restore(handed)
    for one in resumed:
        one.block()
    for one in resumed:
        one.go_on(pids)
    return own is not None and own.get("first") is True and not past.ending


def _lives(record: "Record") -> bool:
    """Tell whether a line is about an instance that is not at rest."""
    at_rest = (states.STOP, states.WAITING)
    goal, state = records.text(record, "goal"), records.text(record, "state")
    well = goal in states.GOALS and state in states.STATES and records.text(record, "job")
    return bool(well) and (goal, state) != at_rest


def _set(jobs: "Jobs", own: "Record", handed: bool) -> None:
    """Take what somebody has set; a new command line has set the priority itself."""
    from ssd.upstart.messages import LEVELS

    priority = records.text(own, "priority")
    if handed and priority in LEVELS:
        jobs.messages.priority = priority
    jobs.environment = records.table(own, "environment") or jobs.environment


def _see_half(jobs: "Jobs", name: str, record: "Record") -> None:
    """Let a start condition remember what has come true of it."""
    job_class = jobs.classes.get(name)
    if job_class is not None and job_class.start_on is not None:
        for event, pairs in records.events(record, "seen"):
            job_class.start_on.see(Emission(event, pairs), {})


class Pool:
    """Events that were not finished, one of each: several jobs may block the same one."""

    __slots__ = ("_jobs", "_found")

    def __init__(self, jobs: "Jobs") -> None:
        self._jobs = jobs
        self._found: dict[Named, Emission] = {}

    def get(self, name: str, pairs: "tuple[str, ...]") -> Emission:
        """Return an event that the jobs have seen already."""
        emission = self._found.get((name, pairs))
        if emission is None:
            emission = self._found[name, pairs] = Emission(name, pairs)
            emission.handled = True
            self._jobs.add(emission)
        return emission

    def has(self, name: str, pairs: "tuple[str, ...]") -> bool:
        """Tell whether some job blocks an event."""
        return (name, pairs) in self._found


class Resumption:
    """One instance on its way to where its last supervisor left it.

    known: the processes of the record, living or not.
    """

    __slots__ = ("job", "known", "_jobs", "_record", "_pool", "_is_same_process", "_lost")

    def __init__(self, jobs: "Jobs", record: "Record", pool: Pool, is_same_process: bool) -> None:
        self._jobs = jobs
        self._record = record
        self._pool = pool
        self._is_same_process = is_same_process
        self.known = records.processes(record)
        self._lost: dict[str, Process] = {}  # those of them that have ended
        self.job = self._instance()

    def _instance(self) -> Job:
        """Return the instance of the record; one whose file is gone can only be stopped."""
        jobs, record = self._jobs, self._record
        name, instance = records.text(record, "job"), records.text(record, "instance")
        gone = name not in jobs.classes
        job_class = jobs.define(_stand_in(name, record)) if gone else jobs.job_class(name)
        job = (
            Job(job_class, instance) if instance or job_class.resting is None else job_class.resting
        )
        jobs.admit(job)
        if gone:
            jobs.undefine(name)
        return job

    def restore(self, handed: bool) -> None:
        """Set the facts and hold the processes; nothing follows from it yet."""
        job, record = self.job, self._record
        rested, job.known = job.at_rest, True
        job.goal, job.state = records.text(record, "goal"), records.text(record, "state")
        job.variables = records.table(record, "variables") or {}
        job.start_variables = records.table(record, "new")
        job.stop_variables = records.table(record, "stop") or {}
        job.restarts = int(records.number(record, "restarts") or 0)
        job.restarts_now = record.get("restarting") is True
        if found := row(record.get("failed"), str, (int, type(None))):
            job.failed, (job.failed_stage, job.failed_status) = True, found
        if found := row(record.get("respawns"), NUMBER, int):
            job.respawns = Respawns()
            job.respawns.begun, job.respawns.count = found
        self._jobs.active += rested - job.at_rest
        for stage, process in self.known.items():
            self._take(stage, process)
        for stage, fd in records.terminals(record).items():
            if handed or self._is_open(fd):
                self._jobs.processes.take_terminal(job, stage, fd)
        job.since = records.number(record, "since") if job.main is not None else None
        job.ready_at = records.number(record, "ready")

    def _is_open(self, fd: int) -> bool:
        """Tell whether a descriptor of the record is open in this process.

        It is where the same process has begun again (``ssd.supervision.succession.recovery``).
        """
        try:
            return self._is_same_process and (os.isatty(fd) or stat.S_ISFIFO(os.fstat(fd).st_mode))
        except OSError:
            return False

    def _take(self, stage: str, process: "Process") -> None:
        """Hold a process of a stage, if it lives."""
        held = hold(process, self._jobs.table)
        if held is None:
            self._lost[stage] = process
            return
        self.job.hold(stage, held)
        if stage == states.MAIN:
            self._jobs.say(told.Adopted(self._jobs.wall(), self.job.label, process.pid))

    def block(self) -> None:
        """Wait again for the events that it waits for, and let others wait for it."""
        job = self.job
        for name, pairs in records.events(self._record, "blocks"):
            job.blocking.add_events([self._pool.get(name, pairs)])
        if job.stop_on is not None:
            for name, pairs in records.events(self._record, "seen"):
                job.stop_on.see(Emission(name, pairs), job.variables)

    def go_on(self, pids: "set[int]") -> None:
        """Do what follows. ``pids``: those of all processes that are known."""
        job, state = self.job, self.job.state
        lost = self._lost.get(states.MAIN)
        if lost is not None and state != states.SPAWNED:
            text = UNSEEN.format(pid=lost.pid)
            job.say(told.StatusText(self._jobs.wall(), job.label, text))
        if state in _EVENTS:
            self._await(_EVENTS[state])
        elif state == states.KILLED:
            self._enter(states.STOPPING)
        elif lost is not None and state in (states.RUNNING, states.POST_START, states.PRE_STOP):
            job.last = Exit(None, self._jobs.wall())
            ends.main_ended(job, None)
        elif state in _BEFORE:
            self._go_on_stage(pids)
        elif state == states.WAITING or job.goal != states.START:
            job.go_on()

    def _enter(self, before: str) -> None:
        """Enter the state after ``before`` once more."""
        self.job.state = before
        self.job.go_on()

    def _await(self, name: str) -> None:
        """Wait for the event about the job; the jobs may not have seen it if none blocks it."""
        job = self.job
        pairs = tuple(telling.pairs(job, name))
        if self._pool.has(name, pairs):
            job.await_event(self._pool.get(name, pairs))
        elif job.state == states.STARTING:
            self._enter(states.WAITING)
        else:
            self._enter(states.PRE_STOP if job.goal == states.STOP else states.RUNNING)

    def _go_on_stage(self, pids: "set[int]") -> None:
        """Wait for the process of a stage, find it, or run it (again)."""
        job, state = self.job, self.job.state
        stage = states.MAIN if state == states.SPAWNED else state
        known = stage in job.processes or stage in self._lost
        if not known:
            self._find(stage, pids)
        if stage in job.processes:
            if stage == states.MAIN:
                self._follow("" if known or not self._leads() else job.file.expect)
            elif job.goal == states.STOP:
                job.halt()  # whoever has wished it before does not wait for ever
        elif not known:
            self._enter(_BEFORE[state])  # it was about to be started
        elif stage == states.MAIN:
            self._follow_lost(self._lost[stage])
        else:
            ends.stage_ended(job, stage, None)

    def _leads(self) -> bool:
        """Tell whether the main process is the one that was started, and not a fork of it."""
        main = self.job.main
        kin = None if main is None else self._jobs.table.kin.of(main.pid)
        return kin is not None and kin.session == kin.process.pid

    def _follow(self, expect: str) -> None:
        """Wait for what a main process is still to do before the job runs."""
        expect = expect or records.text(self._record, "follows")
        if expect in ("fork", "daemon", "stop") and self.job.goal == states.START:
            ends.follow(self.job, expect)
        else:
            self.job.go_on()

    def _follow_lost(self, process: "Process") -> None:
        """Look for the process that stays of a program that was to fork, and has ended."""
        job = self.job
        expect = records.text(self._record, "follows")
        if expect in ("fork", "daemon"):
            job.main = Missed(process)
            ends.follow(job, expect)
            job.main = None
            if job.follower is not None and job.follower.main_ended(None):
                return
            job.end_follower()
        job.last = Exit(None, self._jobs.wall())
        ends.main_ended(job, None)

    def _find(self, stage: str, pids: "set[int]") -> None:
        """Look for a process that was started and is in no journal yet."""
        job, jobs = self.job, self._jobs
        if jobs.table.launcher is not None:
            return
        from ssd.upstart.succession import marks

        name, instance, session = job.file.name, job.instance, jobs.session
        found = marks.find(name, instance, session, pids)
        if stage == states.MAIN and job.file.expect in ("fork", "daemon"):
            # The leader may have forked and ended: then what it has left is the job's process.
            found += marks.find(name, instance, session, pids, leads=False)
        for process in found:
            self._take(stage, process)
            if stage in job.processes:
                return


def _stand_in(name: str, record: "Record") -> JobFile:
    """Return a job file for what runs of one that is gone: enough to stop it."""
    file = JobFile(name)
    if found := row(record.get("kill"), int, NUMBER):
        file.kill_signal, file.kill_timeout = found[0], float(found[1])
    file.task = record.get("task") is True
    return file

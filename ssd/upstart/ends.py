"""Ends of a job's processes: how they are judged, and how they are brought about."""

from ssd.signals import raw as signals
from ssd.supervision import events
from ssd.supervision.effects.held import Exit
from ssd.upstart import states, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.contract import Child
    from ssd.upstart.job import Job

# What must have succeeded before a job may go on, and the state before it.
AGAIN = {states.SECURITY: states.STARTING, states.PRE_START: states.SECURITY}


def follow(job: "Job", expect: str) -> bool:
    """Wait for the forks or the stop that the main process is expected to make, if it is any."""
    if expect == "none":
        return False
    from ssd.upstart.following.follower import Follower

    assert job.main is not None

    follower: Follower

    def lost(status: int | None) -> None:
        is_over(job, states.MAIN, follower.process.pid, status)

    job.follower = follower = Follower(job, job.main, expect, job.take_main, lost, job.move_main)
    follower.begin()
    job.jobs.record(job)
    return True


def look(job: "Job", stage: str, child: "Child") -> None:
    """Reap a process of a job if it has ended, and bring the job on."""
    try:
        status = child.poll()
        if status is None:
            return  # it is still held by a tracer (ptrace(2))
    except ChildProcessError:
        status = None  # it is no child of ours: nobody knows how it ended
    if job.processes.get(stage) is not child:
        return
    pid = child.pid
    job.let_go(stage)
    killed = job.cancel_kill()
    if stage == states.MAIN and job.follower is not None and job.follower.main_ended(status):
        return
    is_over(job, stage, pid, status, killed)


def is_over(job: "Job", stage: str, pid: int, status: int | None, killed: bool = False) -> None:
    """Bring a job on after the end of the process of a stage; ``killed``: by us."""
    job.jobs.processes.ended(job, stage)
    if stage == states.MAIN:
        job.end_follower()
    tell(job, stage, pid, status)
    if stage == states.MAIN:
        job.last = Exit(status, job.jobs.wall())
        job.jobs.say(events.Exited(job.last.time, job.label, pid, status))
        main_ended(job, status)
    else:
        stage_ended(job, stage, 0 if killed else status)


def tell(job: "Job", stage: str, pid: int, status: int | None) -> None:
    """Have init say how a process has ended, loudly if that was not normal."""
    if status is None:
        return
    level = "info" if not status or is_normal(job, stage, status) else "warn"
    job.jobs.tell(level, f"{job.label} {stage} {telling.end_words(pid, status)}")


def is_normal(job: "Job", stage: str, status: int | None) -> bool:
    """Tell whether an end of the main process is declared normal."""
    return stage == states.MAIN and status in job.file.normal_exit


def stage_ended(job: "Job", stage: str, status: int | None) -> None:
    """Go on after a process beside the main one.

    Only a failing pre-start, security or post-stop is a failure of the job (init(5)), and not one
    that a stop has killed. One whose end nobody has seen counts as done, but for those of a start,
    which run again.
    """
    if status is None and job.state == stage:
        if job.goal == states.START:
            job.state = AGAIN.get(stage, stage)
        job.go_on()
        return
    if status != 0 and stage in (states.PRE_START, states.SECURITY, states.POST_STOP):
        job.fail(stage, status)
        job.wish(states.STOP)
    if job.state == stage:
        job.go_on()


def main_ended(job: "Job", status: int | None) -> None:
    """Go on after the end of the main process: by itself, or because it was stopped."""
    state = job.state
    if state == states.KILLED:
        job.go_on()  # it was stopped; whether it comes back is the goal's
        return
    if state == states.STOPPING:
        return  # it was about to be stopped; the event is not finished yet
    waits = state in (states.POST_START, states.PRE_STOP) and state in job.processes
    job.wish(states.RESPAWN if _judge(job, status) else states.STOP)
    if not waits and job.state == state:  # the wish to stop has not moved it already
        job.go_on()


def _judge(job: "Job", status: int | None) -> bool:
    """Tell whether a main process that ended by itself comes back; else it may have failed."""
    file, jobs = job.file, job.jobs
    if job.goal != states.START or (status == 0 and not (file.respawn and not file.task)):
        return False
    if is_normal(job, states.MAIN, status):
        return False
    if not file.respawn:
        job.fail(states.MAIN, status)
        return False
    now = jobs.table.now()
    if job.respawns.is_too_fast(file.respawn_limit, file.respawn_interval, now):
        jobs.tell("warn", f"{job.label} respawning too fast, stopped")
        job.fail("", None)
        return False
    jobs.tell("warn", f"{job.label} main process ended, respawning")
    job.restarts += 1
    jobs.say(events.Restarting(jobs.wall(), job.label, 0.0, job.respawns.count or job.restarts))
    return True


def kill(job: "Job", stage: str) -> None:
    """Send the kill signal to the group of a process, and KILL after the kill timeout."""
    if stage not in job.processes:
        return
    if job.jobs.effects.hurried:
        kill_hard(job, stage)
        return
    _signal(job, stage, job.file.kill_signal)
    job.kill_later(stage)


def kill_hard(job: "Job", stage: str) -> None:
    """Kill the group of a process."""
    if stage in job.processes:
        _signal(job, stage, signals.SIGKILL)


def kill_all(job: "Job") -> None:
    """Kill all processes of a job at once, and have it wait for no event."""
    for stage in list(job.processes):
        kill_hard(job, stage)
    job.unblocked(job.blocker)


def _signal(job: "Job", stage: str, number: int) -> None:
    """Send a signal to the group of a process, which leads one unless it has gone to another."""
    jobs, child = job.jobs, job.processes[stage]
    kin = jobs.table.kin.of(child.pid)
    try:
        if kin is not None and kin.group > 1 and kin.group == child.pid:
            jobs.table.kin.signal_group(child.pid, number)
        else:
            child.signal(number)
    except ProcessLookupError:
        return  # it has just ended; its end is on the way
    except OSError as error:  # no such signal, or it runs as somebody else now
        name, reason = telling.signal_words(number), error.strerror or str(error)
        whose = f"{job.label} {stage} process ({child.pid})"
        jobs.tell("warn", f"Failed to send {name} signal to {whose}: {reason}")

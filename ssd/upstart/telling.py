"""A job in words: the line of a status, the variables of its events, its end for listeners."""

from ssd.signal_names import signal_name
from ssd.supervision import events
from ssd.supervision.unit import LAST_LINES
from ssd.upstart import states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.job import Job

_ENDS = ("stopping", "stopped")
OK, FAILED = "ok", "failed"


def status(job: "Job") -> str:
    """Return the line of a status; further processes of it have lines of their own."""
    text = f"{job.label} {job.goal}/{job.state}"
    running = [(stage, job.processes[stage]) for stage in states.STAGES if stage in job.processes]
    for number, (stage, child) in enumerate(running):
        if number:
            text += f"\n\t{stage} process {child.pid}"
        elif stage != states.MAIN and job.state in states.HAS_MAIN:
            text += f", ({stage}) process {child.pid}"
        else:
            text += f", process {child.pid}"
    return text


def change(job: "Job", what: str, before: str, after: str) -> None:
    """Have init say that a job has another goal, or state."""
    if before != after:
        job.jobs.tell("info", f"{job.label} {what} changed from {before} to {after}")


def at_rest(name: str) -> str:
    """Return the line of a status for a job of which nothing runs."""
    return f"{name} {states.STOP}/{states.WAITING}"


def pairs(job: "Job", event: str) -> "list[str]":
    """Return the variables of an event about a job: started(7), stopping(7) and their like."""
    made = [f"JOB={job.file.name}", f"INSTANCE={job.instance}"]
    if event in _ENDS:
        made += _result(job)
    known = {pair.partition("=")[0] for pair in made}
    for name in job.file.export:
        if name in job.variables and name not in known:
            made.append(f"{name}={job.variables[name]}")
    return made


def _result(job: "Job") -> "list[str]":
    if not job.failed:
        return [f"RESULT={OK}"]
    made = [f"RESULT={FAILED}", f"PROCESS={job.failed_stage or 'respawn'}"]
    how = job.failed_status
    if job.failed_stage and how is not None:
        made.append(f"EXIT_SIGNAL={signal_words(-how)}" if how < 0 else f"EXIT_STATUS={how}")
    return made


def signal_words(number: int) -> str:
    """Return a signal's name without SIG, or its number."""
    name = signal_name(number)
    return name.removeprefix("SIG")


def end_words(child_pid: int, status: int) -> str:
    """Say how a process has ended, as init does."""
    if status < 0:
        return f"process ({child_pid}) killed by {signal_words(-status)} signal"
    if status:
        return f"process ({child_pid}) terminated with status {status}"
    return f"process ({child_pid}) exited normally"


def reason(job: "Job") -> str:
    """Say why a job has failed."""
    if not job.failed_stage:
        return "it was respawned too fast"
    unseen = job.failed_stage == states.MAIN and job.last is not None and job.last.status is None
    if job.failed_status is None and not unseen:
        return f"its {job.failed_stage} process could not be started"
    return f"its {job.failed_stage} process {events.describe_end(job.failed_status)}"


def _last_lines(job: "Job") -> "list[str]":
    """Return the last lines of its output; none if they cannot be read."""
    try:
        return job.jobs.outputs.last_lines(job, LAST_LINES)
    except OSError:
        return []  # its end matters more than a log on a broken disk


def stopped(job: "Job") -> None:
    """Tell listeners that a job has come to rest, or why it was given up."""
    jobs = job.jobs
    if job.failed and job.failed_stage != states.POST_STOP:
        job.failure = reason(job)
        lines = _last_lines(job)
        jobs.say(events.Failed(jobs.wall(), job.label, job.failure, job.failed_status, lines))
        return
    if job.failed:
        jobs.say(events.StatusText(jobs.wall(), job.label, reason(job)))
    jobs.say(events.Stopped(jobs.wall(), job.label))

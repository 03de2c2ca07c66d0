"""What a successor must know of a job, as a line of the journal: writing and reading.

The lines are those of ``ssd.supervision.succession.journal``, with the same meaning of goal, state
and pid; a job has more to say than a service. One line is about no job: that of the supervisor.
"""

import os

from ssd.matching import Process
from ssd.supervision.control.json_text import NUMBER, row
from ssd.upstart import states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.upstart.classes import JobClass
    from ssd.upstart.events.emissions import Emission
    from ssd.upstart.job import Job
    from ssd.upstart.jobs import Jobs

    Record = dict[str, object]
    Named = tuple[str, tuple[str, ...]]  # an event: its name and its variables

OWN = ""  # the name of the supervisor's own line
UNSEEN = "%event "  # before the number of an event that no job has seen yet
HALF = "%half "  # before the name of a job whose start condition has come true in part


def of_job(job: "Job") -> "Record":
    """Return all that a successor needs of an instance; without the values that are usual."""
    found: Record = {
        "name": job.label, "job": job.file.name, "goal": job.goal, "state": job.state,
    }  # fmt: skip
    given = {
        "instance": job.instance,
        "processes": {stage: [each.pid, each.start_time] for stage, each in job.processes.items()},
        "variables": job.variables,
        "new": job.start_variables,
        "stop": job.stop_variables,
        "failed": [job.failed_stage, job.failed_status] if job.failed else None,
        "respawns": [job.respawns.begun, job.respawns.count] if job.respawns.count else None,
        "restarts": job.restarts,
        "restarting": job.restarts_now,
        "since": job.since,
        "ready": job.ready_at,
        "blocks": _events(job.blocking.events()),
        "seen": [] if job.stop_on is None else _events(job.stop_on.seen()),
        "follows": None if job.follower is None else job.follower.expects,
        "terminals": job.jobs.processes.terminals(job),
        # So that it can be stopped without its file.
        "kill": [job.file.kill_signal, job.file.kill_timeout],
        "task": job.file.task,
    }
    found.update({key: value for key, value in given.items() if value})
    return found


def of_class(job_class: "JobClass") -> "Record":
    """Return which events have made a start condition true in part."""
    seen = [] if job_class.start_on is None else job_class.start_on.seen()
    return {"name": HALF + job_class.name, "goal": states.STOP, "state": "", "seen": _events(seen)}


def of_events(emissions: "Iterable[Emission]") -> "list[Record]":
    """Return events that no job has seen yet, in their order."""
    usual: Record = {"goal": states.STOP, "state": ""}
    return [
        {"name": f"{UNSEEN}{number}", **usual, "seen": [event]}
        for number, event in enumerate(_events(emissions))
    ]


def of_all(jobs: "Jobs", is_past_first: bool) -> "Record":
    """Return what is known of the supervisor: what somebody has set, and how far it has come."""
    found: Record = {"name": OWN, "goal": states.START, "state": ""}
    found["first"], found["pid"] = is_past_first, os.getpid()
    if jobs.environment != jobs.default_environment:
        found["environment"] = jobs.environment
    return {**found, "priority": jobs.messages.priority}


def _events(emissions: "Iterable[Emission]") -> "list[list[object]]":
    return [[each.name, each.pairs] for each in emissions]


# Reading: whatever is in a line, these return values of the right type.


def text(record: "Record", key: str) -> str:
    """Return a text, "" without one."""
    value = record.get(key)
    return value if isinstance(value, str) else ""


def number(record: "Record", key: str) -> float | None:
    """Return a number, None without one."""
    value = record.get(key)
    return value if isinstance(value, NUMBER) else None


def table(record: "Record", key: str) -> "dict[str, str] | None":
    """Return variables, None without them."""
    value = record.get(key)
    if not isinstance(value, dict):
        return None
    return {str(name): str(each) for name, each in value.items()}


def processes(record: "Record") -> "dict[str, Process]":
    """Return the processes of the stages."""
    found: dict[str, Process] = {}
    value = record.get("processes")
    for stage, each in value.items() if isinstance(value, dict) else ():
        if stage in states.STAGES and (known := row(each, int, int)):
            found[stage] = Process(*known)
    return found


def terminals(record: "Record") -> "dict[str, int]":
    """Return the descriptors of the terminals of the stages."""
    value = record.get("terminals")
    items = value.items() if isinstance(value, dict) else ()
    return {stage: fd for stage, fd in items if stage in states.STAGES and isinstance(fd, int)}


def events(record: "Record", key: str) -> "list[Named]":
    """Return events."""
    found: list[Named] = []
    value = record.get(key)
    for each in value if isinstance(value, list) else ():
        if event := row(each, str, list):
            found.append((event[0], tuple(map(str, event[1]))))
    return found

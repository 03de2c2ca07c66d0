"""What a supervisor says of a service, in the words of ssd-service: only the decisions."""

from ssd import statuses
from ssd.supervision import states

TYPE_CHECKING = False
if TYPE_CHECKING:
    Facts = dict[str, object]

RUNNING, DEAD, STOPPED = "running", "dead", "stopped"  # what a look has found
_STATUSES = {
    RUNNING: statuses.RUNNING,
    DEAD: statuses.DEAD_WITH_PIDFILE,
    STOPPED: statuses.STOPPED,
}
# What a service with a process is doing, unless it runs.
_DOING = {
    states.SPAWNED: "is starting", states.POST_START: "is starting",
    states.PRE_STOP: "is stopping", states.STOPPING: "is stopping", states.KILLED: "is stopping",
    states.POST_STOP: "is stopping",
}  # fmt: skip


def status_of(found: "Facts") -> int:
    """Return the LSB status of a service; DEAD_WITH_PIDFILE for one that should run."""
    return _STATUSES.get(str(found.get("found")), statuses.UNKNOWN)


def plain(text: object) -> str:
    """Return a text of a service without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\t\n" else "?" for c in str(text))


def sentence(found: "Facts", memory: "int | None" = None, brief: bool = False) -> str:
    """Return the line for a status. ``memory`` in bytes; ``brief`` leaves out what is long."""
    name = found["name"]
    if found.get("found") == RUNNING:
        doing = _DOING.get(str(found.get("state")), "is running")
        said = f"{name} {doing} (process {found.get('pid')})"
        parts = [] if brief else [*_vitals(found, memory), *_past(found)]
        if found.get("healthy") is False:
            parts.append("unhealthy")
        text = f": {plain(found['status_text'])}" if found.get("status_text") and not brief else ""
        return ", ".join([said, *parts]) + text + "\n"
    return f"{name} is not running{_why_not(found)}\n"


def _vitals(found: "Facts", memory: "int | None") -> "list[str]":
    from ssd.service.verbs.vitals import duration, size

    uptime = found.get("uptime")
    parts = [f"up {duration(uptime)}"] if isinstance(uptime, (int, float)) else []
    return parts if memory is None else [*parts, size(memory)]


def _past(found: "Facts") -> "list[str]":
    """Say how often it was restarted, and how it ended the last time."""
    count = found.get("restarts")
    if not count:
        return []
    parts = ["restarted once" if count == 1 else f"restarted {count} times"]
    if "last_exit" in found:
        parts.append(f"it last {_end(found)}")
    return parts


def _why_not(found: "Facts") -> str:
    """Say why it does not run, if that is not plain."""
    state, goal = found.get("state"), found.get("goal")
    if state == states.FAILED:
        return f": given up: {plain(found.get('failure', 'it failed'))}"
    if goal == states.RESPAWN:
        end = f": it {_end(found)}" if "last_exit" in found else ""
        wait = found.get("next_attempt")
        again = f"next attempt in {wait:.1f} s" if isinstance(wait, (int, float)) else ""
        return ", ".join(
            part for part in (end or ": its start failed", again, *_count(found)) if part
        )
    if state == states.STARTING:
        return ": it waits for what it needs"
    if state == states.PRE_START:
        return ": it is starting"
    if state == states.POST_STOP:
        return ": it is stopping"
    if found.get("completed"):
        return ": it has done its work"
    return f": {plain(found['failure'])}" if found.get("failure") else ""


def _count(found: "Facts") -> "list[str]":
    return _past({"restarts": found.get("restarts")})


def _end(found: "Facts") -> str:
    from ssd.supervision.events import describe_end

    status = found.get("last_exit")
    return describe_end(status if isinstance(status, int) else None)


def facts_of_json(found: "Facts") -> "Facts":
    """Return the part ``supervision`` of ``status --json``: what is left out is None, or usual."""
    usual: Facts = {
        "state": None, "goal": None, "uptime": None, "restarts": 0, "last_exit": None,
        "last_exit_time": None, "next_attempt": None, "failure": None, "status_text": "",
        "healthy": True, "completed": False,
    }  # fmt: skip
    return {name: found.get(name, value) for name, value in usual.items()}

"""What each verb of an init script does next: only the decisions, as a table.

A verb looks first. ``TABLE`` gives, for the outcome of each step, the next step or the end of
the verb, with the words on its console line and its exit status. The statuses are LSB's,
"Init Script Actions"; the docs show this table.
"""

from ssd import statuses

TYPE_CHECKING = False
if TYPE_CHECKING:
    Rows = dict[tuple[str, str], "Move"]

# Steps.
LOOK, START, STOP, RELOAD, EXECUTE = "look", "start", "stop", "reload", "execute"
STEPS = (LOOK, START, STOP, RELOAD, EXECUTE)

# What a look finds. UNCLEAR: the pidfile does not show it. ABSENT: the program is not installed.
# LACKING: it is installed, but not what it needs. ``status --json`` shows the first four.
RUNNING, DEAD, STOPPED, UNCLEAR = "running", "dead", "stopped", "unknown"
ABSENT, LACKING = "absent", "lacking"
# Outcomes of the other steps. NOTHING: there was no process. SURVIVED: it outlived the schedule.
# DENIED: the kernel did not permit it. RUNNING after a start: another caller was faster.
DONE, NOTHING, SURVIVED, DENIED, FAILED = "done", "nothing", "survived", "denied", "failed"


class Move:
    """The next ``step``, or None for the end of the verb, with ``words`` and a ``status``."""

    __slots__ = ("step", "words", "status")

    def __init__(self, step: str | None, words: str = "", status: int = statuses.SUCCESS) -> None:
        self.step = step
        self.words = words
        self.status = status

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Move):
            return NotImplemented
        return (self.step, self.words, self.status) == (other.step, other.words, other.status)

    def __repr__(self) -> str:
        return f"Move({self.step!r}, {self.words!r}, {self.status!r})"


def _end(status: int, words: str = "") -> Move:
    return Move(None, words, status)


_GO_START, _GO_STOP = Move(START), Move(STOP)
_ALREADY, _NOT, _UNCLEAR = "is already running", "is not running", "is in an unknown state"
# A package that is removed but not purged leaves its script, which succeeds and does nothing
# (Debian Policy 9.3.2).
_IS_ABSENT = _end(statuses.SUCCESS, "is not installed")
_LACKS = _end(statuses.NOT_INSTALLED, "lacks a package that it needs")

_STARTED: "Rows" = {
    (START, DONE): _end(statuses.SUCCESS),
    (START, DENIED): _end(statuses.NOT_PRIVILEGED),
    (START, FAILED): _end(statuses.FAILED),
}
_STOPPED: "Rows" = {
    (STOP, SURVIVED): _end(statuses.FAILED, "refuses to die"),
    (STOP, DENIED): _end(statuses.NOT_PRIVILEGED),
    (STOP, FAILED): _end(statuses.FAILED),
}
_STOPPED_THEN_STARTED: "Rows" = {
    (STOP, DONE): _GO_START,
    (STOP, NOTHING): _GO_START,
    **_STOPPED,
    **_STARTED,
    (START, RUNNING): _end(statuses.FAILED, "was started meanwhile by another caller"),
}

TABLE: "dict[str, Rows]" = {
    "start": {
        (LOOK, RUNNING): _end(statuses.SUCCESS, _ALREADY),
        (LOOK, DEAD): _GO_START,
        (LOOK, STOPPED): _GO_START,
        (LOOK, UNCLEAR): _GO_START,
        (LOOK, ABSENT): _IS_ABSENT,
        (LOOK, LACKING): _LACKS,
        **_STARTED,
        (START, RUNNING): _end(statuses.SUCCESS, _ALREADY),
    },
    # Needs no program: an upgrade may have removed it while the service still runs.
    "stop": {
        (LOOK, RUNNING): _GO_STOP,
        (LOOK, DEAD): _GO_STOP,
        (LOOK, STOPPED): _end(statuses.SUCCESS, _NOT),
        (LOOK, UNCLEAR): _GO_STOP,
        (STOP, DONE): _end(statuses.SUCCESS),
        (STOP, NOTHING): _end(statuses.SUCCESS, _NOT),
        **_STOPPED,
    },
    "restart": {
        (LOOK, RUNNING): _GO_STOP,
        (LOOK, DEAD): _GO_STOP,
        (LOOK, STOPPED): _GO_START,
        (LOOK, UNCLEAR): _GO_STOP,
        (LOOK, ABSENT): _IS_ABSENT,
        (LOOK, LACKING): _LACKS,
        **_STOPPED_THEN_STARTED,
    },
    "try-restart": {
        (LOOK, RUNNING): _GO_STOP,
        (LOOK, DEAD): _end(statuses.SUCCESS, _NOT),
        (LOOK, STOPPED): _end(statuses.SUCCESS, _NOT),
        (LOOK, UNCLEAR): _end(statuses.FAILED, _UNCLEAR),
        (LOOK, ABSENT): _IS_ABSENT,
        (LOOK, LACKING): _LACKS,
        **_STOPPED_THEN_STARTED,
    },
    "reload": {
        (LOOK, RUNNING): Move(RELOAD),
        (LOOK, DEAD): _end(statuses.NOT_RUNNING, _NOT),
        (LOOK, STOPPED): _end(statuses.NOT_RUNNING, _NOT),
        (LOOK, UNCLEAR): _end(statuses.FAILED, _UNCLEAR),
        (RELOAD, DONE): _end(statuses.SUCCESS),
        (RELOAD, NOTHING): _end(statuses.NOT_RUNNING, _NOT),
        (RELOAD, DENIED): _end(statuses.NOT_PRIVILEGED),
        (RELOAD, FAILED): _end(statuses.FAILED),
    },
    "status": {
        (LOOK, RUNNING): _end(statuses.RUNNING, "is running"),
        (LOOK, DEAD): _end(statuses.DEAD_WITH_PIDFILE, "is not running, but its pidfile exists"),
        (LOOK, STOPPED): _end(statuses.STOPPED, _NOT),
        (LOOK, UNCLEAR): _end(statuses.UNKNOWN, _UNCLEAR),
    },
    # The supervisor's process becomes the program, whether or not another process runs.
    "systemd-start": {
        (LOOK, RUNNING): Move(EXECUTE),
        (LOOK, DEAD): Move(EXECUTE),
        (LOOK, STOPPED): Move(EXECUTE),
        (LOOK, UNCLEAR): Move(EXECUTE),
        (LOOK, ABSENT): _end(statuses.NOT_INSTALLED, "is not installed"),
        (LOOK, LACKING): _LACKS,
        (EXECUTE, DENIED): _end(statuses.NOT_PRIVILEGED),
        (EXECUTE, FAILED): _end(statuses.FAILED),
    },
}

VERBS = (
    "start", "stop", "status", "restart", "force-reload", "reload", "try-restart",
    "systemd-start", "show-args",
)  # fmt: skip

# The beginning of a verb's console line; other verbs have none.
LINES = {
    "start": "Starting {}",
    "stop": "Stopping {}",
    "restart": "Restarting {}",
    "try-restart": "Trying to restart {}",
    "reload": "Reloading {}",
}


def resolve(verb: str, reloads: bool) -> str | None:
    """Return the verb whose rows apply, None if the service has no such verb.

    ``reloads``: whether the service has a signal for a reload. Without one, force-reload is a
    restart, and reload is an unimplemented verb (LSB).
    """
    if verb == "force-reload":
        return "reload" if reloads else "restart"
    if verb == "reload" and not reloads:
        return None
    return verb if verb in VERBS else None


def offered(reloads: bool) -> list[str]:
    """Return the verbs that a service has, for the usage."""
    return [verb for verb in VERBS if resolve(verb, reloads) is not None]


def decide(verb: str, step: str, outcome: str) -> Move:
    """Return the move that follows a step of a resolved verb."""
    return TABLE[verb][step, outcome]

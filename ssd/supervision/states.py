"""A service's life as a pure table: (state, input) gives the goal and the state that follow.

The states and goals are those of Upstart's init(8); ``failed`` is a service that was given up.
A supervisor does what a state is for when the state is entered (``ssd.supervision.unit``), and
feeds what comes of it back as an input.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Rows = dict[tuple[str, str], tuple[str | None, str | None]]

# Goals. RESPAWN: it has ended by itself and is to come back.
START, STOP, RESPAWN = "start", "stop", "respawn"

# States. WAITING with the goal RESPAWN waits for its next attempt.
WAITING, STARTING, PRE_START, SPAWNED = "waiting", "starting", "pre-start", "spawned"
POST_START, RUNNING, PRE_STOP, STOPPING = (
    "post-start",
    "running",
    "pre-stop",
    "stopping",
)
KILLED, POST_STOP, FAILED = "killed", "post-stop", "failed"
STATES = (
    WAITING, STARTING, PRE_START, SPAWNED, POST_START, RUNNING, PRE_STOP, STOPPING, KILLED,
    POST_STOP, FAILED,
)  # fmt: skip
AT_REST = (WAITING, FAILED)  # nothing of it runs
# Those that are written into the journal when they are entered. Of the others a successor finds
# its way from the line before, or from that of a start or a hook, which is written as it begins.
KEPT = frozenset((WAITING, RUNNING, PRE_STOP, STOPPING, FAILED))

# Inputs: what somebody wishes,
# (DO_RETRY: a stop of a service whose processes have outlived one,)
DO_START, DO_STOP, DO_RESTART, DO_RETRY = "do start", "do stop", "do restart", "do retry"
# what the others allow (CLEAR: nothing is left to wait for; BLOCKED: a requirement has failed),
CLEAR, BLOCKED = "clear", "blocked"
# what the state's own work came to (DONE: the hook has ended; SURVIVED: it outlived its stop),
DONE, READY, EMPTY, SURVIVED, DUE, SICK = (
    "done",
    "ready",
    "empty",
    "survived",
    "due",
    "sick",
)
# and the end of the main process, as the policy judges it: it is to come back, it has done its
# work, or it has failed and stays down. A failed attempt to start it is judged in the same way.
ENDS = AGAIN, OVER, LOST = "again", "over", "lost"
INPUTS = (
    DO_START, DO_STOP, DO_RESTART, DO_RETRY, CLEAR, BLOCKED, DONE, READY, EMPTY, SURVIVED, DUE,
    SICK, AGAIN, OVER, LOST,
)  # fmt: skip

_UP: "Rows" = {}
for _state in (PRE_START, SPAWNED, POST_START, RUNNING):
    _UP |= {
        (_state, AGAIN): (RESPAWN, STOPPING),
        (_state, OVER): (STOP, STOPPING),
        (_state, LOST): (STOP, STOPPING),
        (_state, DO_STOP): (STOP, STOPPING),
        (_state, DO_RESTART): (START, STOPPING),
    }
_DOWN: "Rows" = {}
for _state in (PRE_STOP, STOPPING, KILLED, POST_STOP):  # the goal decides where it ends
    _DOWN |= {
        (_state, DO_START): (START, None),
        (_state, DO_RESTART): (START, None),
        (_state, DO_STOP): (STOP, None),
    }

# The goal, and the state to enter. None: as it was; a state that is entered again does its work
# again. An input without a row changes nothing.
TABLE: "Rows" = {
    (WAITING, DO_START): (START, STARTING),
    (WAITING, DO_RESTART): (START, STARTING),
    (WAITING, DO_STOP): (STOP, WAITING),
    (WAITING, DUE): (START, STARTING),
    (FAILED, DO_START): (START, STARTING),
    (FAILED, DO_RESTART): (START, STARTING),
    (FAILED, DO_STOP): (STOP, WAITING),
    (FAILED, DO_RETRY): (STOP, KILLED),
    (STARTING, CLEAR): (None, PRE_START),
    (STARTING, BLOCKED): (STOP, FAILED),
    (STARTING, DO_STOP): (STOP, WAITING),
    **_UP,
    (PRE_START, DONE): (None, SPAWNED),
    (SPAWNED, READY): (None, POST_START),
    (POST_START, DONE): (None, RUNNING),
    (RUNNING, DO_STOP): (STOP, PRE_STOP),
    (RUNNING, DO_RESTART): (START, PRE_STOP),
    (RUNNING, SICK): (RESPAWN, PRE_STOP),
    **_DOWN,
    # The end of the main process changes no goal while it is being stopped.
    (PRE_STOP, AGAIN): (None, STOPPING),
    (PRE_STOP, OVER): (None, STOPPING),
    (PRE_STOP, LOST): (None, STOPPING),
    (PRE_STOP, DONE): (None, STOPPING),
    (STOPPING, CLEAR): (None, KILLED),
    (KILLED, EMPTY): (None, POST_STOP),
    (KILLED, SURVIVED): (STOP, FAILED),
}

# Where the last stage leads, by the goal; a service that is given up comes to FAILED instead.
NEXT = {START: STARTING, STOP: WAITING, RESPAWN: WAITING}


def follow(goal: str, state: str, given: str, failed: bool = False) -> "tuple[str, str | None]":
    """Return the goal and the state that follow an input; the state is None if it stays.

    ``failed``: whether the service is given up unless somebody has started it meanwhile.
    """
    if (goal, state, given) == (STOP, WAITING, DO_STOP):
        return goal, None  # it has stopped already
    if given == DUE and goal != RESPAWN:
        return goal, None  # somebody's wish came first
    if (state, given) == (POST_STOP, DONE):
        return goal, FAILED if failed and goal == STOP else NEXT[goal]
    new_goal, new_state = TABLE.get((state, given), (None, None))
    return new_goal or goal, new_state

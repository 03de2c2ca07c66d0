"""The life of a job as a pure table: (state, goal) gives the state that follows.

The goals and states are those of Upstart's init(8). A job enters a state, does what the state is
for, and goes on by this table when that is done; a wish changes the goal, and the way with it.
"""

START, STOP, RESPAWN = "start", "stop", "respawn"
GOALS = (START, STOP, RESPAWN)

WAITING, STARTING, SECURITY, PRE_START = "waiting", "starting", "security", "pre-start"
SPAWNED, POST_START, RUNNING = "spawned", "post-start", "running"
PRE_STOP, STOPPING, KILLED, POST_STOP = "pre-stop", "stopping", "killed", "post-stop"
STATES = (
    WAITING, STARTING, SECURITY, PRE_START, SPAWNED, POST_START, RUNNING, PRE_STOP, STOPPING,
    KILLED, POST_STOP,
)  # fmt: skip

MAIN = "main"
# The processes of a job, in the order in which a status shows them.
STAGES = (MAIN, PRE_START, POST_START, PRE_STOP, POST_STOP, SECURITY)
# States in which a status expects the main process first.
HAS_MAIN = frozenset((SPAWNED, POST_START, RUNNING, PRE_STOP, STOPPING, KILLED))

# On the way up: the state after each, as long as the goal is to start.
_UP = {
    WAITING: STARTING, STARTING: SECURITY, SECURITY: PRE_START, PRE_START: SPAWNED,
    SPAWNED: POST_START, POST_START: RUNNING,
}  # fmt: skip
# On the way down, whatever the goal is.
_DOWN = {STOPPING: KILLED, KILLED: POST_STOP}

TABLE: dict[tuple[str, str], str] = {
    **{(state, START): after for state, after in _UP.items()},
    **{(state, goal): after for state, after in _DOWN.items() for goal in GOALS},
    **{(state, goal): STOPPING for state in _UP for goal in (STOP, RESPAWN) if state != WAITING},
    # A main process that ended by itself while it was to run comes back by way of stopping.
    (RUNNING, START): STOPPING,
    (RUNNING, RESPAWN): STOPPING,
    (RUNNING, STOP): PRE_STOP,
    (PRE_STOP, STOP): STOPPING,
    (PRE_STOP, START): RUNNING,  # pre-stop has undone the stop
    (PRE_STOP, RESPAWN): STOPPING,
    (POST_STOP, STOP): WAITING,
    (POST_STOP, START): STARTING,
    (POST_STOP, RESPAWN): STARTING,
}


def follow(state: str, goal: str, has_main: bool = True, restarts: bool = False) -> str:
    """Return the state after one whose work is done.

    has_main: whether a main process runs; without one there is no pre-stop. restarts: whether the
    job is on its way down only to come up again, which pre-stop must not take for a stop undone.
    """
    if (state, goal) == (RUNNING, STOP) and not has_main:
        return STOPPING
    if (state, goal) == (PRE_STOP, START) and restarts:
        return STOPPING
    return TABLE[state, goal]

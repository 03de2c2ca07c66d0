"""A fake and real children do not differ after the same random steps."""

import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from kit.twins import NAMES, Worlds
from kit.users import NOBODY

TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    # No shrinking: each step is a real process, and the timeline shows all steps.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

TERM, STOP, CONT, KILL = signal.SIGTERM, signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL
HUP = signal.SIGHUP
# Cases that random steps may miss: rules by name, processes by the order in which they began.
PATHS: dict[str, list[tuple[Any, ...]]] = {
    "the fork of a deaf process is deaf": [
        ("defy", 0, "ignore", TERM), ("fork", 0, NAMES[0]), ("signal", 1, TERM),
        ("signal", 1, KILL),
    ],
    "a fork does not lend its ears": [
        ("fork", 0, NAMES[0]), ("defy", 0, "ignore", TERM), ("signal", 1, TERM),
        ("signal", 0, TERM),
    ],
    "a stopped process keeps its signals": [
        ("signal", 0, STOP), ("signal", 0, TERM), ("signal", 0, CONT), ("reap", 0),
    ],
    "a stopped process keeps what it ignores, too": [
        ("defy", 0, "ignore", TERM), ("signal", 0, STOP), ("signal", 0, TERM), ("signal", 0, CONT),
    ],
    "a stopped process is stopped no more than once": [
        ("signal", 0, STOP), ("signal", 0, STOP), ("signal", 0, CONT),
    ],
    "a stopped process is killed": [("signal", 0, STOP), ("signal", 0, KILL), ("reap", 0)],
    "an orphan lives on, and is not our child": [
        ("fork", 0, NAMES[1]), ("fork", 0, NAMES[2]), ("kill", 0), ("signal", 1, TERM), ("reap", 0),
    ],
    "an exec keeps ignored signals, and no handlers": [
        ("defy", 0, "ignore", TERM), ("defy", 0, "catch", HUP), ("signal", 0, HUP),
        ("rename", 0, "execute", NAMES[1]), ("signal", 0, TERM), ("signal", 0, HUP), ("reap", 0),
    ],
    "a fork has the handlers of its parent": [
        ("defy", 0, "catch", TERM), ("fork", 0, NAMES[2]), ("signal", 1, TERM), ("signal", 0, TERM),
    ],
    "a child of a child is its parent's to reap": [
        ("fork", 0, NAMES[1]), ("fork", 1, NAMES[2]), ("kill", 2), ("reap", 2), ("kill", 1),
        ("reap", 1),
    ],
    "a child of a child that ends is init's with its own": [
        ("fork", 0, NAMES[1]), ("fork", 1, NAMES[2]), ("signal", 2, STOP), ("kill", 1),
        ("signal", 2, CONT), ("signal", 2, TERM), ("reap", 1),
    ],
    "a stopped process keeps a signal that is caught": [
        ("defy", 0, "catch", HUP), ("signal", 0, STOP), ("signal", 0, HUP), ("signal", 0, CONT),
    ],
    "another user's process takes no signal, and does not show what it executes": [
        ("fork", 0, NAMES[1]), ("become", 0), ("signal", 1, TERM, NOBODY),
        ("signal", 0, STOP, NOBODY), ("signal", 1, CONT, NOBODY), ("signal", 0, KILL, NOBODY),
        ("signal", 0, TERM, NOBODY), ("signal", 1, KILL),
    ],
    "a zombie can be killed and stays one": [
        ("signal", 0, TERM), ("kill", 0), ("signal", 0, KILL), ("reap", 0),
    ],
    "a fork of another name has its own": [
        ("rename", 0, "rename", NAMES[0]), ("fork", 0, NAMES[2]), ("rename", 0, "rename", NAMES[1]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
@pytest.mark.parametrize("path", PATHS)
def test_known_path_leads_to_the_same(path: str, kind: str) -> None:
    """The same state machine by hand: one child at first, and all checks after each step."""
    worlds = Worlds(kind)
    try:
        worlds.start(NAMES[0])
        for name, which, *given in PATHS[path]:
            getattr(worlds, name)(worlds.all[which], *given)
            worlds.each_is_the_same()
            worlds.families_are_the_same()
    finally:
        worlds.teardown()

"""How a declared process takes a signal.

A reaction is any function of the process; these make the usual ones.
"""

import os
from collections.abc import Callable
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.process import FakeProcess

Reaction = Callable[["FakeProcess"], object]


def dies(after: float = 0.0) -> Reaction:
    """End, at once or after some seconds. For SIGKILL: a process in a slow device."""
    return lambda process: process.die(after)


def ignores() -> Reaction:
    """Do nothing. For SIGKILL: a process in uninterruptible sleep."""
    return lambda process: None


def executes(exe: str | os.PathLike[str], *arguments: str) -> Reaction:
    """Run another program in place of this one, with the same pid."""
    return lambda process: process.execute(exe, *arguments)


def renames(name: str | bytes) -> Reaction:
    """Take another name."""
    return lambda process: process.rename(name)


def forks(**facts: Any) -> Reaction:
    """Make a child, with ``facts`` (those of ``FakeProcesses.add``) or the parent's."""
    return lambda process: process.fork(**facts)


def in_turn(*reactions: Reaction) -> Reaction:
    """Take the first signal like this, the second like that; the last one for all after."""
    left = list(reactions)

    def react(process: "FakeProcess") -> None:
        (left.pop(0) if len(left) > 1 else left[0])(process)

    return react

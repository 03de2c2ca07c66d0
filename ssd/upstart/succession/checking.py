"""See whether the next program of a supervisor of jobs can run, before it replaces this one."""

import os

from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write
from ssd.supervision.succession.handed import VARIABLE
from ssd.supervision.succession.journal import VERSION

# What a supervisor loads later: a file that is missing or broken must show before that.
LATER = (
    "control.requests", "processes.forking", "following.follower", "succession.marks",
    "succession.resumption", "cli.foreground",
)  # fmt: skip


def is_asked() -> bool:
    """Tell whether a supervisor asks, and not somebody who has written job files."""
    return os.environ.get(VARIABLE, "").startswith("check ")


def check() -> int:
    """Load all that is needed, and return the exit status. Broken job files are no obstacle."""
    for name in LATER:
        __import__(f"ssd.upstart.{name}")
    if os.environ.get(VARIABLE) != f"check {VERSION}":
        write(2, "it reads another format of the state of its predecessor\n")
        return FAILED
    return SUCCESS

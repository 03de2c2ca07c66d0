"""See whether a supervisor could begin: ``ssd-supervise --check``, and before an upgrade."""

import os

from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write
from ssd.supervision.cli import declared
from ssd.supervision.order import Order
from ssd.supervision.succession import journal
from ssd.supervision.succession.handed import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# What a supervisor loads later: a file that is missing or broken must show before that.
LATER = (
    "succession.adoption", "succession.past", "succession.successor", "succession.survivors",
    "succession.upgrade", "cli.foreground", "cli.above", "control.server", "control.rereading",
    "effects.hooks", "effects.spawning", "readiness.gate", "readiness.health", "readiness.notify",
    "readiness.following",
)  # fmt: skip
# The same, from rooms that serve others, too.
BELOW = ("logs", "logs.sinks", "service.sources.listing", "service.sources.templates")


def check(directory: str, names: "Sequence[str] | None") -> int:
    """Read declarations, load all that is needed, and return the exit status.

    Raises what ``declared.read`` raises.
    """
    services = declared.read(directory, names)
    Order(services)
    for name in (*(f"supervision.{each}" for each in LATER), *BELOW):
        __import__(f"ssd.{name}")
    given = os.environ.get(VARIABLE, "")
    if given.startswith("check ") and given != f"check {journal.VERSION}":
        write(2, "it reads another format of the state of its predecessor\n")
        return FAILED
    return SUCCESS

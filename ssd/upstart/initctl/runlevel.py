"""The command telinit: tell the jobs of another runlevel, as telinit(8) of Upstart does."""

import os

from ssd.upstart.initctl.asking import fail
from ssd.upstart.initctl.asking import perform as perform_asking
from ssd.upstart.initctl.options import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.asking import Jobs
    from ssd.upstart.initctl.options import Call

LEVELS = "0123456S"
REREAD = "Qq"


def perform(call: "Call") -> int:
    """Do the command, and return its exit status. Raises Misuse."""
    if not call.arguments:
        raise Misuse("missing runlevel")
    level = call.arguments[0]
    if len(level) != 1 or level not in f"{LEVELS}s{REREAD}":
        raise Misuse(f"illegal runlevel: {level}")
    if os.geteuid() != 0:
        return fail(call, "Need to be root")
    return perform_asking(call, _reread if level in REREAD else _change)


def _reread(jobs: "Jobs") -> None:
    jobs.ask("reload-configuration")


def _change(jobs: "Jobs") -> None:
    """Emit the event runlevel, and wait for nothing.

    The runlevel of before is that of the environment. Records of the machine (utmp(5)) are another
    init's, and are neither read nor written.
    """
    level = jobs.call.arguments[0].upper()
    before = os.environ.get("RUNLEVEL", "")
    given = [f"RUNLEVEL={level}", f"PREVLEVEL={before if before in [*LEVELS] else 'N'}"]
    given += jobs.call.values("e")
    jobs.ask("emit", value="runlevel", environment=given, nowait=True)

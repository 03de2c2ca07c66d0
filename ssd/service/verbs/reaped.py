"""Whether exit statuses of children can be known: for ``perform`` in a program that reaps them.

Loaded only by the library. A hook whose status is lost has neither failed nor succeeded.
"""

import errno

from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service

# What runs as a child whose exit status is asked for.
_HOOKS = ("before_start", "after_start", "before_stop", "after_stop", "environment_files")
IGNORED = (
    "this process ignores SIGCHLD, so the exit status of {} would be lost, and nothing was done: "
    "call signal.signal(signal.SIGCHLD, signal.SIG_DFL) first"
)
LOST = "its exit status is lost: something in this process reaps every child"


def demand_statuses(service: "Service", verb: str, table: "ProcessTable") -> None:
    """Raise ChildProcessError if a resolved verb needs an exit status that the kernel discards."""
    if verb in ("status", "reload") or signals.getsignal(signals.SIGCHLD) != signals.SIG_IGN:
        return
    asked = [name for name in _HOOKS if getattr(service, name)]
    if verb != "stop":
        if service.readiness["kind"] == "command":
            asked.append("readiness.command")
        if not service.background and table.launcher is None:
            asked.append("the program, which goes to the background itself")
    if asked:
        raise ChildProcessError(errno.ECHILD, IGNORED.format(", ".join(asked)))

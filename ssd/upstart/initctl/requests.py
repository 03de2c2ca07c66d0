"""The commands for events and for the supervisor itself."""

from ssd.upstart.initctl.asking import perform as perform_asking
from ssd.upstart.initctl.options import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.upstart.initctl.asking import Jobs
    from ssd.upstart.initctl.options import Call

_MISSING = {
    "emit": "missing event name",
    "notify-dbus-address": "missing D-Bus address",
    "notify-cgroup-manager-address": "missing address",
}


def perform(call: "Call") -> int:
    """Do the command, and return its exit status. Raises Misuse."""
    if call.command in _MISSING and not call.arguments:
        raise Misuse(_MISSING[call.command])
    return perform_asking(call, _WORK.get(call.command, _tell))


def _tell(jobs: "Jobs") -> None:
    jobs.ask(jobs.call.command)


def _notify(jobs: "Jobs") -> None:
    """Take an address that only the original has a use for: jobs of sessions tell it."""
    jobs.ask("version")


def _list(jobs: "Jobs") -> None:
    found = jobs.ask("list").get("jobs")
    if isinstance(found, list) and found:
        jobs.say("\n".join(map(str, found)))


def _emit(jobs: "Jobs") -> None:
    name, *given = jobs.call.arguments
    jobs.ask("emit", value=name, environment=given, nowait=jobs.call.has("no-wait"))


def _version(jobs: "Jobs") -> None:
    jobs.say(jobs.ask("version")["version"])


def _log_priority(jobs: "Jobs") -> None:
    if jobs.call.arguments:
        jobs.ask("log-priority", value=jobs.call.arguments[0])
    else:
        jobs.say(jobs.ask("log-priority")["priority"])


_WORK: "dict[str, Callable[[Jobs], None]]" = {
    "list": _list,
    "emit": _emit,
    "version": _version,
    "log-priority": _log_priority,
    "notify-dbus-address": _notify,
    "notify-cgroup-manager-address": _notify,
}

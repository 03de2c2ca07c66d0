"""The commands for the table of variables that jobs get.

A process of a job means the table of its own job, unless ``--global`` is given.
"""

import os

from ssd.upstart.initctl.asking import perform as perform_asking
from ssd.upstart.initctl.options import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.asking import Jobs
    from ssd.upstart.initctl.options import Call

_MISSING = {
    "get-env": "missing variable name",
    "set-env": "missing variable value",
    "unset-env": "missing variable name",
}


def perform(call: "Call") -> int:
    """Do the command, and return its exit status. Raises Misuse."""
    if call.command in _MISSING and not call.arguments:
        raise Misuse(_MISSING[call.command])
    table = _table(call)
    work = {"get-env": _get, "list-env": _list, "reset-env": _reset}.get(call.command, _change)
    return perform_asking(call, lambda jobs: work(jobs, table))


def _table(call: "Call") -> "dict[str, str]":
    """Return which table is meant: the fields for a job, or none. Raises Misuse."""
    name, instance = os.environ.get("UPSTART_JOB"), os.environ.get("UPSTART_INSTANCE")
    if call.has("global") or name is None:
        return {}
    if instance is None:
        raise Misuse("missing job name")
    return {"name": name, "instance": instance}


def _get(jobs: "Jobs", table: "dict[str, str]") -> None:
    jobs.say(jobs.ask("get-env", value=jobs.call.arguments[0], **table)["value"])


def _list(jobs: "Jobs", table: "dict[str, str]") -> None:
    found = jobs.ask("list-env", **table).get("environment")
    if isinstance(found, list) and found:
        jobs.say("\n".join(sorted(map(str, found))))


def _reset(jobs: "Jobs", table: "dict[str, str]") -> None:
    jobs.ask("reset-env", **table)


def _change(jobs: "Jobs", table: "dict[str, str]") -> None:
    """Set or unset variables, all in one request."""
    call = jobs.call
    retain = call.has("retain") or None
    jobs.ask(call.command, environment=call.arguments, retain=retain, **table)

"""The commands for one job: start, stop, restart, reload, status and usage."""

import os

from ssd.upstart.initctl.asking import perform as perform_asking
from ssd.upstart.initctl.options import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.asking import Jobs
    from ssd.upstart.initctl.options import Call


def perform(call: "Call") -> int:
    """Do the command, and return its exit status. Raises Misuse."""
    name, instance = target(call)
    work = {"status": _status, "reload": _reload, "usage": _usage}.get(call.command, _change)
    return perform_asking(call, lambda jobs: work(jobs, name, instance))


def target(call: "Call") -> "tuple[str, str | None]":
    """Return the job that is meant, and its instance if it is that of the calling process.

    Without a name a process of a job means its own (init(5), Job environment). Raises Misuse.
    """
    if call.arguments:
        return call.arguments[0], None
    name, instance = os.environ.get("UPSTART_JOB"), os.environ.get("UPSTART_INSTANCE")
    if name is None or instance is None:
        raise Misuse("missing job name")
    return name, instance


def _change(jobs: "Jobs", name: str, instance: "str | None") -> None:
    """Start, stop or restart a job, and show its state.

    A process of a job does not wait for its own job, which may wait for that process.
    """
    call = jobs.call
    nowait = call.has("no-wait") or instance is not None
    given = call.arguments[1:]
    answer = jobs.ask(call.command, name=name, instance=instance, environment=given, nowait=nowait)
    if not call.is_quiet:  # the state of now, which may be the next one already
        done = {"name": answer.get("job", name), "instance": answer.get("instance", "")}
        jobs.say(jobs.ask("state", **done)["status"])


def _reload(jobs: "Jobs", name: str, instance: "str | None") -> None:
    jobs.ask("reload", name=name, instance=instance, environment=jobs.call.arguments[1:])


def _status(jobs: "Jobs", name: str, instance: "str | None") -> None:
    given = jobs.call.arguments[1:]
    jobs.say(jobs.ask("status", name=name, instance=instance, environment=given)["status"])


def _usage(jobs: "Jobs", name: str, instance: "str | None") -> None:
    jobs.say(f"Usage: {jobs.ask('usage', name=name)['usage']}")

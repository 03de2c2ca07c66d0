"""The settings of a job's processes, from the values of its file."""

import os

from ssd.upstart import states
from ssd.upstart.processes.steps import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.job import Job


UMASK = 0o022


def plan_for(job: "Job", stage: str, words: "list[str]", environment: "dict[str, str]") -> Plan:
    """Return what the process of a stage becomes, for the system's jobs."""
    file = job.file
    plan = Plan(words, environment, file.console)
    if "" in environment:
        import ctypes  # for the child, which must not load it

        _ = ctypes
    plan.settles = stage != states.SECURITY
    plan.limits = _limits(file.limits, job.supervisor.effects.descriptors)
    plan.umask = UMASK if file.umask is None else file.umask
    plan.nice, plan.oom = file.nice, file.oom or None  # 0 keeps the supervisor's
    plan.root, plan.directory = file.chroot, file.chdir or "/"
    plan.setuid, plan.setgid = file.setuid, file.setgid
    plan.pauses = file.debug
    plan.closes = job.supervisor.effects.close_fds
    return plan


def _limits(
    limits: "dict[str, tuple[int, int]]", descriptors: "tuple[int, int] | None"
) -> "list[tuple[str, int, int, int]]":
    """Return (name, number, soft, hard) of each limit to set.

    descriptors: the limits that the supervisor was started with, if it has raised its own.
    """
    if not limits and descriptors is None:
        return []
    import resource

    found = [] if descriptors is None else [("nofile", resource.RLIMIT_NOFILE, *descriptors)]
    for name, (soft, hard) in limits.items():
        number = getattr(resource, f"RLIMIT_{name.upper()}", _OTHERS.get(name))
        if number is not None:
            found.append((name, number, soft, hard))
    return found


_OTHERS = {"locks": 10} if os.uname().sysname == "Linux" else {}  # getrlimit(2), RLIMIT_LOCKS

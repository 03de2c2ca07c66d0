"""AppArmor profiles and cgroups of jobs, as far as the machine has them."""

from ssd import cgroups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.upstart.job import Job

    Tell = Callable[[str, str], object]

ENABLED = "/sys/module/apparmor/parameters/enabled"


def profile(declared: str, environment: "dict[str, str]", tell: "Tell") -> str:
    """Return the AppArmor profile to switch to; "" for none, or if the kernel has no AppArmor.

    Then the job runs unconfined, as with Upstart.
    """
    if not declared:
        return ""
    try:
        with open(ENABLED, encoding="ascii") as file:
            enabled = file.read(1) == "Y"
    except OSError:
        enabled = False
    if not enabled:
        tell("info", f"AppArmor is not enabled: the profile {declared} is not used")
        return ""
    for name in sorted(environment, key=len, reverse=True):
        declared = declared.replace(f"${{{name}}}", environment[name])
        declared = declared.replace(f"${name}", environment[name])
    return declared


class Cgroups:
    """The cgroups that jobs declare: one of version 2 for each, below our own."""

    __slots__ = ("_tell",)

    def __init__(self, tell: "Tell") -> None:
        self._tell = tell

    def enter(self, job: "Job", pid: int) -> None:
        """Put a process into the cgroup of its job, and set what the job declares for it.

        What cannot be had is told: the process runs without it.
        """
        name = f"upstart-{job.label}".replace("/", "_")
        parent = cgroups.own()
        made = cgroups.make(name, parent)
        if made is None and parent is not None:
            made = cgroups.Cgroup(parent.path + b"/" + name.encode("utf-8", "surrogateescape"))
        if made is None or not made.add(pid):
            self._tell("warn", f"{job.label}: no cgroup can be had for it")

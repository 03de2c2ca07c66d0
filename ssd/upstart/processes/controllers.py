"""The cgroups that jobs declare (init(5), ``cgroup``), of version 1 or 2 as the machine has them.

A job's processes are in the cgroup upstart/JOB[-INSTANCE] of each controller that it names, or in
one of another name, below the cgroup of the supervisor. What cannot be had is told, and the job
runs without it.
"""

import os

from ssd import cgroups
from ssd.surroundings.kernel_files import write_setting
from ssd.upstart.environment import expand
from ssd.upstart.errors import JobError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.upstart.job import Job

OWN = "/proc/self/cgroup"
DEFAULT = "$UPSTART_CGROUP"
# Settings of version 1, in which jobs have them, that have another name in version 2.
NEWER = {"memory.limit_in_bytes": "memory.max", "memory.soft_limit_in_bytes": "memory.high"}
INHERITED = ("cpuset.cpus", "cpuset.mems")  # empty in a new cgroup of version 1, which takes nobody


class Cgroups:
    """The cgroups of the jobs of a supervisor. ``tell(level, text)``: for what cannot be had."""

    __slots__ = ("_tell", "_made")

    def __init__(self, tell: "Callable[[str, str], object]") -> None:
        self._tell = tell
        self._made: dict[str, list[str]] = {}  # directories by the label of an instance

    def prepare(self, job: "Job", environment: "dict[str, str]") -> "list[str]":
        """Make the cgroups of a job with their settings; return the files that take its pid."""
        if not job.file.cgroups:
            return []
        base = f"{job.file.name}-{job.instance}" if job.instance else job.file.name
        variables = {**environment, DEFAULT[1:]: f"upstart/{base.replace('/', '_')}"}
        made: list[str] = []
        for declared in job.file.cgroups:
            try:
                directory = _make(declared, variables)
            except (OSError, JobError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                self._tell("warn", f"{job.label}: cgroup {declared}: {reason}")
            else:
                made.append(directory)
        self._made[job.label] = [*self._made.get(job.label, ()), *made]
        return [f"{directory}/cgroup.procs" for directory in dict.fromkeys(made)]

    def leave(self, job: "Job") -> None:
        """Remove the cgroups of a job whose process has ended, unless others are in them."""
        made = self._made.pop(job.label, [])
        left = [directory for directory in dict.fromkeys(made) if not _remove(directory)]
        if left:
            self._made[job.label] = left  # another process of the job is there


def _make(declared: str, variables: "dict[str, str]") -> str:
    """Make one cgroup, and return its directory. Raises JobError and OSError."""
    controller, *words = declared.split(" ")
    name = DEFAULT if len(words) in (0, 2) else words.pop(0)
    parent, is_newer = _parent(controller)
    directory = parent
    for part in expand(name, variables).split("/"):
        if part in ("", "."):
            continue
        if is_newer:
            _enable(directory, controller)
        directory = f"{directory}/{part}"
        if not os.path.isdir(directory):
            os.mkdir(directory, 0o755)
            if controller == "cpuset" and not is_newer:
                _inherit(directory)
    if words:
        key, value = (expand(word, variables) for word in words)
        key = key if key.startswith(f"{controller}.") else f"{controller}.{key}"
        write_setting(f"{directory}/{NEWER.get(key, key) if is_newer else key}", value)
    return directory


def _remove(directory: str) -> bool:
    """Remove a cgroup; tell whether it is gone."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _parent(controller: str) -> "tuple[str, bool]":
    """Return the supervisor's own cgroup of a controller, and whether that is of version 2.

    Raises FileNotFoundError if the machine has no such controller.
    """
    with open(OWN, encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split(":", 2) for line in file.read().splitlines()]
    for _, names, path in lines:
        if controller in names.split(","):
            for root, place in _older(controller):
                within = path.removeprefix(root.rstrip("/"))
                return f"{place}{within}".rstrip("/"), False
    own = cgroups.own()
    if own is not None:
        place = os.fsdecode(own.path)
        with open(f"{place}/cgroup.controllers", encoding="ascii") as file:
            if controller in file.read().split():
                return place, True
    raise FileNotFoundError(2, "the kernel has no such controller")


def _older(controller: str) -> "list[tuple[str, str]]":
    """Return (root, directory) of each mount of version 1 that has a controller."""
    found = []
    with open(cgroups.MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            words, _, after = line.partition(" - ")
            kind, _, options = after.split()
            if kind == "cgroup" and controller in options.split(","):
                found.append((words.split()[3], words.split()[4]))
    return found


def _enable(directory: str, controller: str) -> None:
    """Let the cgroups below one of version 2 have a controller, where that is possible.

    If it is not (cgroups(7), "no internal processes"), the settings below do not exist.
    """
    try:
        write_setting(f"{directory}/cgroup.subtree_control", f"+{controller}")
    except OSError:
        return


def _inherit(directory: str) -> None:
    for name in INHERITED:
        with open(f"{os.path.dirname(directory)}/{name}", encoding="ascii") as file:
            write_setting(f"{directory}/{name}", file.read().strip())

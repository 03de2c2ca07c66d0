"""Everything that psutil knows of a process and its children: for ``status --json``."""

import os

import psutil

from ssd.errors import EXHAUSTED
from ssd.processes import default_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Process

# Of psutil.Process.as_dict, without the environment, which may hold passwords, the maps of memory,
# which are longer than all the rest, and cpu_percent, which needs two looks.
ATTRIBUTES = (
    "pid", "ppid", "name", "exe", "cmdline", "cwd", "status", "username", "uids", "gids",
    "terminal", "create_time", "nice", "ionice", "num_threads", "threads", "num_fds",
    "num_ctx_switches", "cpu_affinity", "cpu_num", "cpu_times", "memory_info", "memory_full_info",
    "memory_percent", "io_counters", "open_files",
)  # fmt: skip
LIMITS = [name for name in dir(psutil) if name.startswith("RLIMIT_")]  # where psutil has them


def details(process: "Process") -> dict[str, object]:
    """Return the facts of a process and of its children; only the pid of one that has ended.

    A fact that the caller may not read is None. Raises OSError without memory or descriptors.
    """
    if not process.is_still(default_table().process(process.pid)):  # ended, or not a real process
        return {"pid": process.pid}
    try:
        return _tree(process.pid)
    except (psutil.Error, OSError) as error:
        _check_known(error)
        if not process.is_still(default_table().process(process.pid)):
            return {"pid": process.pid}  # it has just ended
        return {**dict.fromkeys((*KNOWN, "children")), "pid": process.pid}  # it may not be read


def _tree(pid: int) -> dict[str, object]:
    """Return the facts of a process and its children. Raises psutil.Error and OSError."""
    found = psutil.Process(pid)
    facts = _plain(found)
    facts["children"] = None
    if facts["ppid"] is not None:  # otherwise neither it nor a child can be read
        facts["children"] = [each for each in map(_child, _children(found)) if each]
    return facts


def _child(pid: int) -> dict[str, object] | None:
    """Return the facts of a child, None if it has ended."""
    try:
        return _tree(pid)
    except (psutil.Error, OSError) as error:
        _check_known(error)
        return None


def _children(process: psutil.Process) -> list[int]:
    """Return the children of a process, as far as the caller may read the parents of processes."""
    try:
        return [child.pid for child in process.children()]
    except (psutil.AccessDenied, OSError):
        # psutil gives up at the first process that it may not read, and without a boot time.
        return [child.pid for child in default_table().children(process.pid)]


def _plain(process: psutil.Process) -> dict[str, object]:
    """Return the facts of one process in JSON's types. Raises psutil.NoSuchProcess."""
    with process.oneshot():
        return {name: _fact(process, name) for name in KNOWN}


def _fact(process: psutil.Process, name: str) -> object:
    """Return one fact, None if the caller may not read it or the system does not have it.

    If /proc is mounted with subset=pid, the boot time and the machine's memory are missing.
    """
    try:
        if name == "pid":
            return process.pid
        return DERIVED[name](process) if name in DERIVED else _value(getattr(process, name)())
    except psutil.ZombieProcess:
        return None
    except psutil.NoSuchProcess:
        raise
    except (psutil.Error, OSError, NotImplementedError) as error:
        _check_known(error)
        return None


def _check_known(error: Exception) -> None:
    """Raise an error again if it is a lack of memory or descriptors, not about the process."""
    if isinstance(error, OSError) and error.errno in EXHAUSTED:
        raise error


def _limits(process: psutil.Process) -> object:
    """Return soft and hard resource limits, by the names of a declaration."""
    return {name[7:].lower(): process.rlimit(getattr(psutil, name)) for name in LIMITS}


def _connections(process: psutil.Process) -> object:
    # psutil 6 renamed it.
    ask = getattr(process, "net_connections", None) or process.connections
    return [_value(each) for each in ask()]


DERIVED: "dict[str, Callable[[psutil.Process], object]]" = {
    "connections": _connections,
    "limits": _limits,
}
KNOWN = (*(name for name in ATTRIBUTES if hasattr(psutil.Process, name)), *DERIVED)


def _value(value: object) -> object:
    """Turn a value into JSON's types, a named tuple into an object."""
    if hasattr(value, "_asdict"):
        return {name: _value(each) for name, each in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in value]
    if isinstance(value, str):
        return os.fsencode(value).decode("utf-8", "replace")
    return value if isinstance(value, (int, float)) or value is None else str(value)

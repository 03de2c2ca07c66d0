"""``status --json``: everything that psutil knows of a service's processes."""

import errno
import os

try:
    import psutil
except ModuleNotFoundError as error:  # a zipapp cannot contain it: half of it is C
    reason = "status --json needs psutil, which is not installed: pip install psutil"
    raise OSError(errno.ENOENT, reason) from error

from ssd import answers
from ssd.errors import EXHAUSTED
from ssd.finding import resolve
from ssd.matched_by import matched_by
from ssd.matching import Process
from ssd.processes import default_table
from ssd.service import verbs
from ssd.service.verbs.steps import Steps
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service

# Of psutil.Process.as_dict, without the environment, which may hold passwords, the maps of memory,
# which are longer than all the rest, and cpu_percent, which needs two looks.
ATTRIBUTES = (
    "pid", "ppid", "name", "exe", "cmdline", "cwd", "status", "username", "uids", "gids",
    "terminal", "create_time", "nice", "ionice", "num_threads", "threads", "num_fds",
    "num_ctx_switches", "cpu_affinity", "cpu_num", "cpu_times", "memory_info", "memory_full_info",
    "memory_percent", "io_counters", "open_files",
)  # fmt: skip
LIMITS = [name for name in dir(psutil) if name.startswith("RLIMIT_")]  # where psutil has them


def show(service: "Service", table: "ProcessTable | None" = None) -> int:
    """Print the facts of one service as a JSON object; return its LSB status."""
    status, facts = gather(service, table)
    write_json(facts)
    return status


def write_json(facts: object) -> None:
    """Print facts as JSON."""
    write(1, answers.text(facts))


def gather(
    service: "Service", table: "ProcessTable | None" = None
) -> tuple[int, dict[str, object]]:
    """Return the LSB status of a service, and all facts about it.

    A fact that the caller may not read is None; of a process that has just ended psutil has none.
    """
    steps = Steps(service, table)
    outcome = steps.look()
    status = verbs.decide("status", verbs.LOOK, outcome).status
    processes = []
    if steps.processes:
        match = service.match()
        criteria = resolve(match, steps.table)
        for process in steps.processes:
            by = matched_by(match, criteria, process, steps.table)
            processes.append(_described(process, steps.table, by))
    answer = answers.answer(
        "status",
        status,
        outcome,
        None if service.pidfile == "none" else service.pidfile,
        processes,
    )
    return status, {
        "name": service.name,
        "description": service.description,
        **answer,
        "declared_in": service.file,
        "complaints": steps.complaints,
        "supervision": None,
    }


def supervised(
    found: "dict[str, object]", status: int, supervision: "dict[str, object]"
) -> "dict[str, object]":
    """Return the same facts of a service that a supervisor has.

    ``found``: what it says of the service. ``supervision``: what only a supervisor knows.
    """
    pid, start_time = found.get("pid"), found.get("start_time")
    processes = []
    if start_time:
        process = Process(int(str(pid)), int(str(start_time)))
        processes = [_described(process, default_table(), "supervisor")]
    pidfile = found.get("pidfile")
    answer = answers.answer(
        "status",
        status,
        str(found.get("found")),
        None if pidfile is None else str(pidfile),
        processes,
    )
    return {
        **{name: found.get(name) for name in ("name", "description")},
        **answer,
        "declared_in": found.get("declared_in"),
        "complaints": [],
        "supervision": supervision,
    }


def _described(process: "Process", table: "ProcessTable", matched_by: str) -> dict[str, object]:
    """Return what psutil knows of a process, and the facts that an answer of ssd has."""
    return {
        "name": None,
        "cmdline": None,
        **_facts(process),
        **answers.identity(process, table),
        "matched_by": matched_by,
        "ended": not process.is_still(table.process(process.pid)),
    }


def _facts(process: "Process") -> dict[str, object]:
    """Return the facts of a process and of its children."""
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

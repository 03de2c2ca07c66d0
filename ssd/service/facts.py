"""``status --json``: everything that psutil knows of a service's processes."""

import json
import os

import psutil

from ssd.processes import default_table
from ssd.service import verbs
from ssd.service.steps import Steps
from ssd.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.processes.identity import Process
    from ssd.processes.types import ProcessTable
    from ssd.service.declaration import Service

# Of psutil.Process.as_dict; not the environment, which may hold passwords, no maps of memory,
# which are longer than all the rest, and no percentage of a time that has only begun.
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
    write(1, json.dumps(facts, indent=2) + "\n")
    return status


def gather(
    service: "Service", table: "ProcessTable | None" = None
) -> tuple[int, dict[str, object]]:
    """Return the LSB status of a service, and what can be found out about it.

    A fact that the caller may not know is null; a process that has ended meanwhile has its
    pid and nothing more.
    """
    steps = Steps(service, table)
    outcome = steps.look()
    status = verbs.decide("status", verbs.LOOK, outcome).status
    return status, {
        "name": service.name,
        "description": service.description,
        "state": outcome,
        "status": status,
        "pidfile": None if service.pidfile == "none" else service.pidfile,
        "declared_in": service.file,
        "complaints": steps.complaints,
        "processes": [_facts(process) for process in steps.processes],
    }


def _facts(process: "Process") -> dict[str, object]:
    """Return the facts of a process, with its children below it."""
    if default_table().process(process.pid) != process:  # ended, or on another machine
        return {"pid": process.pid}
    try:
        found = psutil.Process(process.pid)
        return {**_plain(found), "children": _tree(found.children())}
    except psutil.NoSuchProcess:
        return {"pid": process.pid}


def _tree(children: "Iterable[psutil.Process]") -> list[dict[str, object]]:
    found = []
    for child in children:
        try:
            found.append({**_plain(child), "children": _tree(child.children())})
        except psutil.NoSuchProcess:
            continue  # it has ended meanwhile
    return found


def _plain(process: psutil.Process) -> dict[str, object]:
    """Return a process's facts as JSON can hold them."""
    known = [name for name in ATTRIBUTES if hasattr(process, name)]
    facts = {name: _value(value) for name, value in process.as_dict(known).items()}
    facts["connections"] = _connections(process)
    facts["limits"] = _limits(process)
    return facts


def _limits(process: psutil.Process) -> object:
    """Return resource limits by the names that a declaration has for them: soft and hard."""
    try:
        return {name[7:].lower(): process.rlimit(getattr(psutil, name)) for name in LIMITS}
    except psutil.AccessDenied:
        return None


def _connections(process: psutil.Process) -> object:
    # psutil 6 renamed it.
    ask = getattr(process, "net_connections", None) or process.connections
    try:
        return [_value(each) for each in ask()]
    except psutil.AccessDenied:
        return None


def _value(value: object) -> object:
    """Turn named tuples into tables."""
    if hasattr(value, "_asdict"):
        return {name: _value(each) for name, each in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [_value(each) for each in value]
    if isinstance(value, str):
        return os.fsencode(value).decode("utf-8", "replace")
    return value if isinstance(value, (int, float)) or value is None else str(value)

"""Processes of a stage that is in no journal: a supervisor was killed right after it had started.

A job's process has the job and its instance in its environment (init(5)), and leads a session; a
user's supervisor is there, too, as UPSTART_SESSION. What a program has done to its environment
since is not seen: the kernel shows where it laid it at execve(2).
"""

import os

from ssd.errors import VANISHED
from ssd.matching import Process
from ssd.processes.environments import read
from ssd.supervision.succession.survivors import ROOT, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container


def find(
    name: str,
    instance: str,
    session: str,
    known: "Container[int]",
    leads: bool = True,
    root: bytes = ROOT,
) -> "list[Process]":
    """Return the session leaders of a job's instance, the youngest first.

    session: UPSTART_SESSION of these jobs; "" for those of the system. known: pids that are
    somebody's already. leads: False returns the others, the oldest first.
    """
    wanted = {
        b"UPSTART_JOB=": os.fsencode(name),
        b"UPSTART_INSTANCE=": os.fsencode(instance),
        b"UPSTART_SESSION=": os.fsencode(session),
    }
    found = []
    for entry in os.listdir(root):
        if not entry.isdigit() or int(entry) in known or int(entry) == os.getpid():
            continue
        try:
            process = _look(int(entry), wanted, leads, root)
        except VANISHED:
            continue
        if process is not None:
            found.append(process)
    return sorted(found, key=lambda each: (each.start_time, each.pid), reverse=leads)


def _look(pid: int, wanted: "dict[bytes, bytes]", leads: bool, root: bytes) -> Process | None:
    """Return a process if it is one that is looked for. Raises VANISHED."""
    where = os.open(root + b"/%d" % pid, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for key, value in wanted.items():
            if variable(where, key) != value:
                return None
        fields = read(where, "stat").rpartition(b") ")[2].split(b" ", 21)
        if fields[0] in b"ZX" or (int(fields[3]) == pid) is not leads:
            return None
        return Process(pid, int(fields[19]))
    finally:
        os.close(where)

"""A program as it is right after execve(2), before its first instruction: read from /proc.

A call is a dict, because it goes through a pipe as JSON. Its keys:

file, exe, argv, cwd
    the path that execve(2) was given, made absolute, what the kernel runs (an interpreter if that
    is a script), the words, and the working directory
environment
    all variables
uid, gid, groups, umask, nice, oom
    umask as a number, oom as the adjustment of the score
limits
    resource (as setrlimit(2) names it, in small letters) -> "SOFT:HARD"
cpu, io
    (policy, priority) and (class, priority), each a pair of numbers; io None if unknown
streams
    what descriptors 0, 1 and 2 are: a path, or a text such as "pipe:[17]", "" if closed
appends
    which of them were opened with O_APPEND
background
    whether its shell does not wait for it
verb
    which verb of the script it belongs to
"""

import os
import struct

from ssd.service.importing.trace.kernel import AT_EXECFN
from ssd.starting.rare.scheduling import io_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Call = dict[str, Any]

# Rows of /proc/PID/limits, with the names of setrlimit(2).
LIMITS = {
    "Max cpu time": "cpu", "Max file size": "fsize", "Max data size": "data",
    "Max stack size": "stack", "Max core file size": "core", "Max resident set": "rss",
    "Max processes": "nproc", "Max open files": "nofile", "Max locked memory": "memlock",
    "Max address space": "as", "Max pending signals": "sigpending",
    "Max msgqueue size": "msgqueue", "Max nice priority": "nice",
    "Max realtime priority": "rtprio",
}  # fmt: skip
INTERRUPT = 1 << 1  # SIGINT in a mask of signals: bit 0 is signal 1


def read(pid: int, verb: str) -> "Call":
    """Return the call of a process that stopped at its execve(2). Raises OSError."""
    facts = status(pid)
    cwd = os.readlink(f"/proc/{pid}/cwd")
    argv = [os.fsdecode(word) for word in _read(pid, "cmdline").split(b"\0")[:-1]]
    variables = [each.partition(b"=") for each in _read(pid, "environ").split(b"\0") if each]
    policy = os.sched_getscheduler(pid)
    streams = [_stream(pid, fd) for fd in range(3)]
    return {
        "file": os.path.normpath(os.path.join(cwd, _executed(pid))),
        "exe": os.readlink(f"/proc/{pid}/exe"),
        "argv": argv,
        "cwd": cwd,
        "environment": {os.fsdecode(name): os.fsdecode(value) for name, _, value in variables},
        "uid": int(facts["Uid"].split()[1]),
        "gid": int(facts["Gid"].split()[1]),
        "groups": [int(each) for each in facts["Groups"].split()],
        "umask": int(facts.get("Umask", "022"), 8),
        "nice": os.getpriority(os.PRIO_PROCESS, pid),
        "oom": int(_read(pid, "oom_score_adj")),
        "limits": _limits(_read(pid, "limits").decode()),
        "cpu": (policy, os.sched_getparam(pid).sched_priority),
        "io": io_of(pid),
        "streams": [target for target, _ in streams],
        "appends": [appends for _, appends in streams],
        "background": bool(int(facts["SigIgn"], 16) & INTERRUPT),
        "verb": verb,
        "pid": pid,
        "parent": int(facts["PPid"]),
    }


def status(pid: int) -> "dict[str, str]":
    """Return the lines of /proc/PID/status. Raises OSError."""
    lines = _read(pid, "status").decode(errors="replace").split("\n")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def _executed(pid: int) -> str:
    """Return the path that execve(2) was given: for a script its own, not the interpreter's."""
    auxiliary = _read(pid, "auxv")
    size = struct.calcsize("N")
    numbers = struct.unpack(f"{len(auxiliary) // size}N", auxiliary)
    address = dict(zip(numbers[::2], numbers[1::2]))[AT_EXECFN]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        text = b""
        while b"\0" not in text:  # it may end right before the end of the stack
            text += memory.read(1)
    return os.fsdecode(text[:-1])


def _limits(text: str) -> "dict[str, str]":
    made = {}
    for line in text.split("\n"):
        name = LIMITS.get(line[:26].strip())
        if name is not None:
            soft, hard = line[26:].split()[:2]
            made[name] = f"{soft}:{hard}"
    return made


def _stream(pid: int, fd: int) -> "tuple[str, bool]":
    try:
        target = os.readlink(f"/proc/{pid}/fd/{fd}")
        info = _read(pid, f"fdinfo/{fd}").decode()
    except FileNotFoundError:
        return "", False
    flags = next(line.split()[1] for line in info.split("\n") if line.startswith("flags:"))
    return target, bool(int(flags, 8) & os.O_APPEND)

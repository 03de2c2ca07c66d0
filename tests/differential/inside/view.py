"""All facts about a started program, read from /proc while it is stopped."""

import ctypes
import os
import platform
import re

_IOPRIO_GET = {"x86_64": 252, "aarch64": 31}.get(platform.machine())
_STATUS = (
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "Threads",
    "SigPnd",
    "ShdPnd",
    "SigBlk",
    "SigIgn",
    "SigCgt",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Cpus_allowed",
)
_POLICIES = {os.SCHED_OTHER: "other", os.SCHED_FIFO: "fifo", os.SCHED_RR: "rr"}
_IO_CLASSES = ("none", "real-time", "best-effort", "idle")
_FLAGS = {
    os.O_APPEND: "append",
    os.O_NONBLOCK: "nonblock",
    os.O_CLOEXEC: "cloexec",
    os.O_NOFOLLOW: "nofollow",
    os.O_SYNC: "sync",
    os.O_PATH: "path",
}

_libc = ctypes.CDLL(None, use_errno=True)


def view(pid: int, names: dict[int, str]) -> dict[str, object]:
    """Return all facts about the stopped process `pid`; `names` replace pids."""
    fields = stat(pid)
    return {
        **status(pid),
        "cwd": os.readlink(f"/proc/{pid}/cwd"),
        "root": os.readlink(f"/proc/{pid}/root"),
        "exe": os.readlink(f"/proc/{pid}/exe"),
        "comm": text(pid, "comm").rstrip("\n"),
        "argv": text(pid, "cmdline").split("\0")[:-1],
        "environment": environment(pid),
        "parent": names.get(int(fields[1]), fields[1]),
        "group": relation(int(fields[2]), pid, names),
        "session": relation(int(fields[3]), pid, names),
        "terminal": fields[4] != "0",
        "nice": int(fields[16]),
        "scheduler": (_POLICIES.get(int(fields[38]), fields[38]), int(fields[37])),
        "io": io_priority(pid),
        "limits": limits(pid),
        "oom": text(pid, "oom_score_adj").strip(),
        "coredump_filter": text(pid, "coredump_filter").strip(),
        "personality": text(pid, "personality").strip(),
        "timer_slack": text(pid, "timerslack_ns").strip(),
        "descriptors": descriptors(pid),
    }


def text(pid: int, name: str) -> str:
    """Return a file of /proc/PID, bytes that are not ASCII as surrogates."""
    with open(f"/proc/{pid}/{name}", encoding="ascii", errors="surrogateescape") as file:
        return file.read()


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on, where the state stands."""
    return text(pid, "stat").rpartition(") ")[2].split()


def status(pid: int) -> dict[str, str]:
    """Return the chosen lines of /proc/PID/status."""
    lines = dict(line.split(":", 1) for line in text(pid, "status").splitlines())
    return {name: " ".join(lines[name].split()) for name in _STATUS}


def environment(pid: int) -> list[str]:
    """Return the environment in its order; the address of a socket counts as present only."""
    entries = text(pid, "environ").split("\0")[:-1]
    return [re.sub(r"^(NOTIFY_SOCKET=).+", r"\1*", entry) for entry in entries]


def relation(number: int, pid: int, names: dict[int, str]) -> str:
    """Return the owner of the process group or session `number`."""
    if number == pid:
        return "own"
    return names.get(number, "gone")


def io_priority(pid: int) -> tuple[str, int] | None:
    """Return the class and level of ioprio_get(2), None on a machine whose call is unknown."""
    if _IOPRIO_GET is None:
        return None
    value = _libc.syscall(_IOPRIO_GET, 1, pid)
    return _IO_CLASSES[value >> 13], value & 0x1FFF


def limits(pid: int) -> dict[str, str]:
    """Return the soft and hard resource limits by name."""
    lines = text(pid, "limits").splitlines()[1:]
    return {line[:25].strip(): " ".join(line[25:].split()[:2]) for line in lines}


def descriptors(pid: int) -> dict[str, str]:
    """Return what each open descriptor leads to, and how it was opened."""
    return {
        number: f"{target(pid, number)} {opening(pid, number)}"
        for number in sorted(os.listdir(f"/proc/{pid}/fd"), key=int)
    }


def target(pid: int, number: str) -> str:
    """Return what a descriptor leads to; a pipe or a socket without its number."""
    return re.sub(r":\[\d+\]", "", os.readlink(f"/proc/{pid}/fd/{number}"))


def opening(pid: int, number: str) -> str:
    """Return the access mode and the flags of an open descriptor."""
    info = dict(line.split(":", 1) for line in text(pid, f"fdinfo/{number}").splitlines())
    flags = int(info["flags"], 8)
    access = ("read", "write", "both", "none")[flags & os.O_ACCMODE]
    return " ".join([access, *(name for flag, name in _FLAGS.items() if flags & flag)])


def rest(pid: int) -> None:
    """Return when a process is at rest: in its read(2), stopped, or ended."""
    while state(pid) == "R":
        os.sched_yield()


def state(pid: int) -> str:
    """Return the letter of proc(5) for the state of `pid`, X if it does not exist."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1].decode()
    except (FileNotFoundError, ProcessLookupError):
        return "X"

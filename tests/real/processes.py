"""Facts about processes, and waiting for their ends by pidfd. Nothing sleeps.

All of it is for use inside namespaces (alone.py), where each process was started by the
test.
"""

import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

LONG = 60.0  # seconds; a wait that takes longer has failed


def pids() -> list[int]:
    """Return the living processes, ascending; zombies are dead."""
    found = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in found if state(pid) not in (None, "Z", "X")]


def _text(pid: int, file: str) -> str:
    """Return a file of a process; its name may be any bytes."""
    return os.fsdecode(Path(f"/proc/{pid}/{file}").read_bytes())


def state(pid: int) -> str | None:
    """Return the letter of a process's state (proc(5)), None if it is gone."""
    try:
        return _text(pid, "stat").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def facts(pid: int) -> dict[str, str]:
    """Return /proc/PID/status as a mapping."""
    lines = _text(pid, "status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def name(pid: int) -> str | None:
    """Return the name of a process; None if it is gone."""
    try:
        return _text(pid, "comm").rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None


def until_words(pid: int, first: str) -> None:
    """Wait until a living process has been executed with this first word, and has its variables.

    For a moment within execve(2) it has neither; its environment is set last (fs/binfmt_elf.c).
    """
    end = time.monotonic() + LONG
    while _text(pid, "cmdline").partition("\0")[0] != first or not _text(pid, "environ"):
        assert time.monotonic() < end, f"process {pid} is not executed as {first}"
        os.sched_yield()


def executable(pid: int) -> str | None:
    """Return the executable of a process; None if it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except (FileNotFoundError, ProcessLookupError):
        return None


def pidfd(pid: int) -> int | None:
    """Open a process; None if it is gone."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def ready(descriptors: Iterable[int], until: float) -> list[int]:
    """Wait until some descriptors can be read; return them, none after ``until`` (monotonic)."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    left = max(0.0, until - time.monotonic())
    return [descriptor for descriptor, _ in poll.poll(left * 1000)]


def lasts(pid: int, seconds: float) -> bool:
    """Wait for the end of a process for some time; return whether it still runs."""
    fd = pidfd(pid)
    if fd is None:
        return False
    ended = ready([fd], time.monotonic() + seconds)
    os.close(fd)
    return not ended


def wait_end(pid: int) -> None:
    """Wait until a process has ended; a zombie has."""
    assert not lasts(pid, LONG), f"process {pid} does not end"


def reap(pid: int) -> int:
    """Wait for the end of a child or an orphan; return its status, minus N for signal N."""
    wait_end(pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def end(*doomed: int) -> None:
    """Kill children or orphans, and reap them."""
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    for pid in doomed:
        reap(pid)


def bury() -> None:
    """Reap every child that has ended."""
    while _reaped():
        pass


def _reaped() -> int:
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0  # no children at all

"""What the kernel says about processes: memory, processor time, wake-ups, children."""

import os
from collections.abc import Iterable


def pids() -> list[int]:
    """Return all processes of this PID namespace."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def text(path: str) -> str:
    """Return a file of /proc, or nothing if its process has ended."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parent_and_state(pid: int) -> tuple[int, str]:
    """Return the parent and the letter of the state; (0, "X") for one that is gone."""
    fields = text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[1]), fields[0]) if fields else (0, "X")


def alive(pid: int) -> bool:
    """Tell whether a process runs: a zombie does not."""
    return parent_and_state(pid)[1] not in "XZ"


def zombies(parent: int) -> int:
    """Count the children that a process has not reaped."""
    return sum(parent_and_state(pid) == (parent, "Z") for pid in pids())


def outside(roots: Iterable[int], exempt: Iterable[int]) -> list[int]:
    """Return the processes that are neither ``exempt`` nor one of ``roots`` or their children."""
    parents = {pid: parent_and_state(pid)[0] for pid in pids()}
    stop = set(roots)
    left = []
    for pid in parents:
        above: int | None = pid
        while above and above not in stop:
            above = parents.get(above)
        if not above and pid not in exempt:
            left.append(pid)
    return left


def memory(chosen: Iterable[int]) -> tuple[float, float]:
    """Return two sums in megabytes: the proportional share (PSS), and the anonymous memory.

    The share depends on who else has the same files mapped; anonymous memory does not.
    """
    sums = {"Pss:": 0, "Anonymous:": 0}
    for pid in chosen:
        for line in text(f"/proc/{pid}/smaps_rollup").splitlines():
            name, _, rest = line.partition(" ")
            if name in sums:
                sums[name] += int(rest.split()[0])
    return sums["Pss:"] / 1024, sums["Anonymous:"] / 1024


def tasks(chosen: Iterable[int]) -> list[str]:
    """Return the directories of the threads of processes."""
    found = []
    for pid in chosen:
        try:
            found += [f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return found


def processor_seconds(chosen: Iterable[int]) -> float:
    """Return the processor time of processes so far."""
    spent = (text(f"{task}/schedstat").split() for task in tasks(chosen))
    return sum(int(fields[0]) for fields in spent if fields) / 1e9


def wakeups(chosen: Iterable[int]) -> int:
    """Return how often processes went to sleep so far, and so must have been woken."""
    lines = (line for task in tasks(chosen) for line in text(f"{task}/status").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))

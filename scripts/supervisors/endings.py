"""Rows of stops, crashes, and the death of the supervisor."""

import os
import signal
import time
from typing import Any

from supervisors import looking
from supervisors.stage import PATIENCE, Stage, gone
from supervisors.workloads import Workload, crowd

Figures = dict[str, Any]


def stop(stage: Stage, count: int, stubborn: int) -> Figures:
    """Stop all services; some of them and their children ignore TERM."""
    obedient = crowd("obedient", count - stubborn, stage.place)
    stage.launch(obedient + crowd("stubborn", stubborn, stage.place))
    children: dict[str, int] = {}
    for _, words in stage.lines(30):
        if words[1] == "child":
            children[words[0]] = int(words[2])
        if len(stage.latest) == count and len(children) == stubborn:
            break
    names = {pid: name for name, pid in stage.latest.items()}
    handles = {pid: os.pidfd_open(pid) for pid in names}
    handles[stage.pid] = os.pidfd_open(stage.pid)
    stage.settle()
    begin = time.perf_counter()
    stage.tool.stop(stage.pid)
    ended = gone(handles, PATIENCE)
    supervisor = ended.pop(stage.pid, None)
    took = [now - begin for pid, now in ended.items() if names[pid].startswith("obedient")]
    list(stage.lines(0.3))
    return {
        "obedient": max(took) if len(took) == count - stubborn else None,
        "all": max(ended.values()) - begin if len(ended) == count else None,
        "supervisor": supervisor and supervisor - begin,
        "left": sum(map(looking.alive, children.values())),
    }


def crash(stage: Stage, seconds: float = PATIENCE) -> Figures:
    """Count the starts of a service that always fails; wait for one that fails five times."""
    kinds = ("crash", "sixth")
    stage.launch([Workload(kind, kind, stage.place) for kind in kinds])
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for now, (name, *_) in stage.lines(seconds):
        times[name].append(now)
    crashes, tries = times["crash"], times["sixth"]
    return {
        "in 1 s": sum(now - crashes[0] <= 1 for now in crashes),
        "in 10 s": sum(now - crashes[0] <= 10 for now in crashes),
        "works after": tries[5] - tries[0] if len(tries) > 5 else None,
    }


def death(stage: Stage, count: int, seconds: float = 3) -> Figures:
    """Kill the supervisor, start it again, and see what has become of services and lines."""
    stage.launch(crowd("writer", count, stage.place, log=True))
    stage.until(count)
    list(stage.lines(0.5))
    old = set(stage.mains)
    os.kill(stage.pid, signal.SIGKILL)
    os.waitpid(stage.pid, 0)
    list(stage.lines(0.5))
    begin = stage.again()
    list(stage.lines(seconds))
    alive = [pid for pid in stage.mains if looking.alive(pid)]
    for pid in old.intersection(alive):
        os.kill(pid, signal.SIGTERM)
    written = {}
    for _, words in stage.lines(1):
        if words[1:2] == ["done"]:
            written[words[2]] = int(words[3])
    list(stage.lines(0.5))
    logged: dict[str, set[str]] = {pid: set() for pid in written}
    for number in range(count):
        for path in stage.tool.logs(f"writer{number}"):
            for line in looking.text(str(path)).splitlines():
                pid, _, count_of_line = line.partition(" ")
                if pid in logged:
                    logged[pid].add(count_of_line)
    return {
        "kept": len(old.intersection(alive)),
        "alive": len(alive),
        "lost": sum(number - len(logged[pid]) for pid, number in written.items()),
        "seconds": time.perf_counter() - begin,
    }


def first(stage: Stage, seconds: float = 6) -> Figures:
    """Be process 1: reap what services leave, and pass TERM on to them."""
    stage.tool.declare([Workload("orphaning", "orphaning", stage.place)])
    stage.again(prefix=("unshare", "--pid", "--fork", "--mount", "--mount-proc"))
    stage.until(1)
    init = child_of(stage.pid)
    list(stage.lines(seconds))  # runsvdir looks every 5 s
    zombies = looking.zombies(init)
    handle = os.pidfd_open(init)
    begin = time.perf_counter()
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    ended = gone({init: handle}, PATIENCE)
    told = any(words[1:] == ["term"] for _, words in stage.lines(0.2))
    return {"zombies": zombies, "told": told, "gone": ended[init] - begin if ended else None}


def child_of(parent: int) -> int:
    """Return the only child of unshare(1)."""
    (child,) = [pid for pid in looking.pids() if looking.parent_and_state(pid)[0] == parent]
    return child

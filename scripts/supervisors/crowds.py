"""Rows of many services: up, memory, idleness, reaction, status."""

import os
import random
import signal
import time
from typing import Any

from supervisors import looking
from supervisors.stage import Stage
from supervisors.tools import PYTHON
from supervisors.workloads import crowd

GAP = 0.025  # seconds between two kills
# Seconds until none takes a service that ends for one that fails to start: 1 for runit and s6;
# supervisord looks once a second whether it has been up for a second.
YOUNG = 2.2
Figures = dict[str, Any]


def up(stage: Stage, count: int, kills: int, asked: int) -> Figures:
    """Start many services; look at memory; kill some; ask for the status."""
    begin = stage.launch(crowd("idle", count, stage.place))
    found: Figures = {"up": stage.until(count) - begin}
    stage.settle()
    found["pss"], found["anonymous"] = looking.memory(own := stage.own())
    found["processes"] = len(own)
    found["up cpu"] = looking.processor_seconds(own)
    if kills:
        found["reaction"] = reactions(stage, count, kills)
        stage.settle()
        found["restart cpu"] = (looking.processor_seconds(own) - found["up cpu"]) / kills
    if asked:
        found["status one"] = [status(stage, f"idle{count // 2}") for _ in range(asked)]
        found["status all"] = [status(stage, "all") for _ in range(asked)]
        interpreter = [PYTHON, "-c", "pass"]
        found["interpreter"] = [stage.run(interpreter) for _ in range(2 * asked)]
    return found


def logged(stage: Stage, count: int) -> Figures:
    """Start many services whose output is kept; look at memory."""
    begin = stage.launch(crowd("idle", count, stage.place, log=True))
    found: Figures = {"up": stage.until(count) - begin}
    stage.settle()
    found["pss"], found["anonymous"] = looking.memory(own := stage.own())
    found["processes"] = len(own)
    return found


def status(stage: Stage, name: str) -> float:
    """Return how long it takes to ask for one or all."""
    return sum(stage.run(argv) for argv in stage.tool.status(name))


def reactions(stage: Stage, count: int, kills: int) -> list[float]:
    """Kill one service every 25 ms, each once; return the times until their next lines."""
    step = count // kills
    list(stage.lines(YOUNG))
    waiting: dict[str, float] = {}
    took = []
    due = time.perf_counter()
    for number in range(kills):
        name = f"idle{number * step}"
        waiting[name] = time.perf_counter()
        os.kill(stage.latest[name], signal.SIGKILL)
        due += GAP
        took += answers(stage, waiting, due)
    took += answers(stage, waiting, time.perf_counter() + 10, until_none=True)
    if waiting:
        raise SystemExit(f"{stage.tool.name}: never came back: {sorted(waiting)}")
    return took


def answers(
    stage: Stage, waiting: dict[str, float], until: float, until_none: bool = False
) -> list[float]:
    """Take killed services that are back off the list; return the time of each."""
    took = []
    while (left := until - time.perf_counter()) > 0 and (waiting or not until_none):
        for now, (name, *_) in stage.lines(left):
            if name in waiting:
                took.append(now - waiting.pop(name))
            if until_none and not waiting:
                break
    return took


def alone(stage: Stage, kills: int) -> Figures:
    """Kill the only service again and again."""
    stage.launch(crowd("idle", 1, stage.place))
    stage.until(1)
    took: list[float] = []
    for _ in range(kills):
        # At another moment each time of what a supervisor does every second.
        list(stage.lines(YOUNG + random.random()))
        waiting = {"idle0": time.perf_counter()}
        os.kill(stage.latest["idle0"], signal.SIGKILL)
        took += answers(stage, waiting, time.perf_counter() + 10, until_none=True)
    return {"reaction": took}


def idle(stage: Stage, count: int, seconds: float) -> Figures:
    """Start many services and leave them alone; count what the supervisor does."""
    stage.launch(crowd("idle", count, stage.place))
    stage.until(count)
    # supervisord's own first seconds count for its start; so does a scan of a directory.
    list(stage.lines(min(3, seconds)))
    own = stage.own()
    before = looking.processor_seconds(own), looking.wakeups(own)
    time.sleep(seconds)
    after = looking.processor_seconds(own), looking.wakeups(own)
    minute = 60 / seconds
    return {
        "cpu": (after[0] - before[0]) * minute,
        "wakeups": (after[1] - before[1]) * minute,
    }


def interpreter(stage: Stage) -> Figures:
    """Look at an interpreter that does nothing, as part of a supervisor's memory."""
    argv = [PYTHON, "-IS", "-c", "import time; time.sleep(1000)"]
    pid = os.posix_spawn(argv[0], argv, os.environ)
    while "hrtimer_nanosleep" not in looking.text(f"/proc/{pid}/wchan"):
        time.sleep(0.005)
    pss, anonymous = looking.memory([pid])
    return {"pss": pss, "anonymous": anonymous}

"""Rows of 100 MB of output: how fast it gets into files, and whether all of it does."""

import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from supervisors import looking
from supervisors.stage import LONGEST, Stage
from supervisors.workloads import Workload, crowd

QUICK = 3.0  # seconds
Figures = dict[str, Any]


def volume(stage: Stage, idle: int, lines: int) -> Figures:
    """Write numbered lines beside services that do nothing; compare with `seq | cat >> file`.

    Both take turns, up to three times if that is quick.
    """
    stage.launch(
        [Workload("seq", "seq", stage.place, log=True), *crowd("idle", idle, stage.place, log=True)]
    )
    stage.until(1 + idle)
    stage.settle()
    plain = stage.place / "plain"
    took: list[float] = []
    ratios, spent = [], []
    own, whole = stage.own(), True
    while len(took) < 3 and sum(took) < QUICK and whole:
        before = looking.processor_seconds(own)
        took.append(write(stage, lines))
        whole = until_written(stage, len(took) * size(lines))
        spent.append(looking.processor_seconds(own) - before)
        reference = stage.run(["/bin/sh", "-c", f"seq {lines} | cat >>{plain}"])
        ratios.append(reference / took[-1])
    return {
        "rate": size(lines) / 1e6 / statistics.median(took),
        "ratio": statistics.median(ratios),
        "cpu": statistics.median(spent),
        "same": whole and same(stage.tool.logs("seq"), plain),
        "files": len(stage.tool.logs("seq")),
    }


def size(lines: int) -> int:
    """Return how many bytes seq(1) writes."""
    last = len(str(lines))
    whole = sum(9 * 10 ** (digits - 1) * (digits + 1) for digits in range(1, last))
    return whole + (lines + 1 - 10 ** (last - 1)) * (last + 1)


def write(stage: Stage, lines: int) -> float:
    """Let the service write; return how long it took."""
    begin = time.perf_counter()
    (stage.place / "go").write_text(f"{lines}\n")
    for now, words in stage.lines(LONGEST):
        if words == ["seq", "done"]:
            return now - begin
    raise SystemExit(f"{stage.tool.name}: seq did not end")


def until_written(stage: Stage, bytes_: int) -> bool:
    """Wait until the files have all bytes; False if they never have."""
    end = time.perf_counter() + 10
    while sum(map(length, stage.tool.logs("seq"))) < bytes_:
        if time.perf_counter() > end:
            return False
        time.sleep(0.02)
    return True


def length(path: Path) -> int:
    """Return the size of a file; 0 for one that is just being renamed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def same(paths: list[Path], plain: Path) -> bool:
    """Compare byte for byte."""
    joined = subprocess.Popen(["cat", *map(str, paths)], stdout=subprocess.PIPE)
    done = subprocess.run(["cmp", "--quiet", "-", plain], stdin=joined.stdout)
    joined.wait()
    return done.returncode == 0

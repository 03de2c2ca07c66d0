"""Measure supervisors side by side, in one run (scripts/bench --supervisors).

usage: scripts/bench --supervisors [--quick] [--runs N] [--tools NAME,...] [--rows NAME,...]
                                   [--json FILE] [--page FILE]
       scripts/bench --upstart [the same]: Upstart jobs beside plain services instead

Each measurement has PID and mount namespaces of its own, so it needs root. runit and s6 take
part if they are installed; supervisord is installed by pip, into a virtual environment.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

if __package__ in (None, ""):  # python scripts/supervisors: the directory above has the package
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from supervisors import crowds, endings, jobs, logs, report
from supervisors.isolation import Measurement, obstacle
from supervisors.scanned import S6, Runit
from supervisors.stage import Stage
from supervisors.tools import Floor, Ssd, Supervisord, Tool

TOOLS: dict[str, type[Tool]] = {
    tool.name: tool for tool in (Ssd, Floor, Supervisord, Runit, S6)
}  # fmt: skip
MEASURES = {
    "up": crowds.up,
    "logged": crowds.logged,
    "idle": crowds.idle,
    "alone": crowds.alone,
    "stop": endings.stop,
    "crash": endings.crash,
    "volume": logs.volume,
    "death": endings.death,
    "first": endings.first,
    "interpreter": crowds.interpreter,
    **jobs.MEASURES,
}
LINES = 12_345_678  # of 99,999,999 bytes, if each is its number
# name -> measure, its arguments, those of --quick, and whether the supervisors may take part
# side by side: where nothing is timed, or only what takes seconds.
PLAN: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]] = {
    "up 500": ("up", {"count": 500, "kills": 100, "asked": 0}, {"count": 10, "kills": 5}, False),
    "up 1000": ("up", {"count": 1000, "kills": 100, "asked": 5},
                {"count": 20, "kills": 5, "asked": 1}, False),
    "logged 1000": ("logged", {"count": 1000}, {"count": 20}, False),
    "stop": ("stop", {"count": 100, "stubborn": 5}, {"count": 6}, False),
    "volume 0": ("volume", {"idle": 0, "lines": LINES}, {"lines": 100_000}, False),
    "volume 999": ("volume", {"idle": 999, "lines": LINES},
                   {"idle": 5, "lines": 100_000}, False),
    "idle": ("idle", {"count": 500, "seconds": 60}, {"count": 10, "seconds": 1}, True),
    "alone": ("alone", {"kills": 12}, {"kills": 1}, True),
    "crash": ("crash", {}, {"seconds": 2}, True),
    "death": ("death", {"count": 4}, {"seconds": 1}, True),
    "first": ("first", {}, {"seconds": 1}, True),
}  # fmt: skip


def inside(words: dict[str, Any]) -> None:
    """Measure one row with one supervisor in the current directory; print the figures."""
    place = Path.cwd()
    stage = Stage(place, {**TOOLS, **jobs.TOOLS}[words["tool"]](place))
    print(json.dumps(MEASURES[words["row"]](stage, **words["arguments"])))


class Bench(NamedTuple):
    """What is measured side by side, in which rows, and under which heading the page has it."""

    tools: Mapping[str, type[Tool]]
    plan: dict[str, tuple[str, dict[str, Any], dict[str, Any], bool]]
    rows: list[report.Row]
    heading: str


SUPERVISORS = Bench(TOOLS, PLAN, report.ROWS, "")
UPSTART = Bench(jobs.TOOLS, jobs.PLAN, jobs.ROWS, "## Upstart jobs")


def carry_out(
    bench: Bench, names: list[str], tools: list[str], runs: int, quick: bool
) -> report.Found:
    """Measure rows in turn: all supervisors, and then all of them again. ``quick``: all at once.

    Figures of the quick mode mean nothing, and what it measures mostly waits.
    """
    found: report.Found = {name: {tool: [] for tool in tools} for name in names}
    for together in [names] if quick else [[name] for name in names]:
        beside = quick or bench.plan[together[0]][3]
        for group in [tools] if beside else [[tool] for tool in tools] * runs:
            begun = []
            for name in together:
                measure, full, short, _ = bench.plan[name]
                arguments = {**full, **short} if quick else full
                begun += [(name, tool, Measurement(tool, measure, arguments)) for tool in group]
            for name, tool, measurement in begun:
                result = measurement.result()
                found[name][tool].append(result)
                if "failed" in result:
                    print(f"{name}, {tool}: {result['failed']}", file=sys.stderr)
        measured = {name: found[name] for name in together}
        print(report.table(report.rows(measured, bench.rows)), flush=True)
    return found


def chosen(known: list[str], given: str | None, what: str) -> list[str]:
    """Return the names in a list with commas, or all; an unknown one ends the program."""
    names = given.split(",") if given else known
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"bench: no {what} {unknown[0]}; there are {', '.join(known)}")
    return names


def main() -> None:
    """Measure what is asked for."""
    words = argparse.ArgumentParser("bench --supervisors", description=__doc__.splitlines()[0])
    words.add_argument("--json", type=Path, help="write the figures here")
    words.add_argument("--page", type=Path, help="replace the table of this page")
    words.add_argument("--runs", type=int, default=3, help="runs of each row that is timed")
    words.add_argument(
        "--quick", action="store_true", help="try the bench itself: few services, all at once"
    )
    words.add_argument("--upstart", action="store_true", help="Upstart jobs beside plain services")
    words.add_argument("--tools", help=f"some of {','.join(TOOLS)}")
    words.add_argument("--rows", help=f"some of {','.join(PLAN)}")
    words.add_argument("--inside", type=json.loads, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.inside:
        inside(given.inside)
        return
    if reason := obstacle():
        sys.exit(f"bench: {reason}")
    bench = UPSTART if given.upstart else SUPERVISORS
    tools = chosen(list(bench.tools), given.tools, "supervisor")
    for tool in list(tools):
        if reason := bench.tools[tool].missing():
            tools.remove(tool)
            print(f"  {tool}: left out: {reason}")
    print(f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
          f"{os.cpu_count()} processors; medians of {given.runs} runs in turn")  # fmt: skip
    bare = Measurement("floor", "interpreter", {}).result()
    print(f"an interpreter without a program: {bare['pss']:.1f} MB, "
          f"of it anonymous {bare['anonymous']:.1f}")  # fmt: skip
    names = chosen(list(bench.plan), given.rows, "row")
    rows = report.rows(carry_out(bench, names, tools, given.runs, given.quick), bench.rows)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    if given.page:
        given.page.write_text(report.renew(given.page.read_text(), rows, bench.heading))


if __name__ == "__main__":
    main()

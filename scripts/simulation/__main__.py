"""Say how long a rolling restart takes, and what a failure costs (scripts/fleet-simulation)."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulation import figures, reality, report
from simulation.fleet import Fleet
from simulation.picture import picture
from simulation.rollout import (
    WITHOUT_HOOKS,
    Controller,
    Result,
    Rollout,
    Serial,
    Tasks,
    simulate,
    size,
)

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = (ROOT / "docs/howto/fleet.md", ROOT / "docs/explanation/fleet.md")
PICTURE = ROOT / "docs/howto/fleet.svg"
FIGURES = ROOT / "docs/explanation/fleet.json"
MOST = 1_000_000  # hosts; more take longer than anybody waits
WEEK = 7 * 24 * 3600  # seconds
DRAWN: tuple[tuple[Serial, ...], ...] = ((50,), (200,), figures.DEFAULT)


def batches(words: str) -> tuple[Serial, ...]:
    """Return the list that a text such as 1,5%,10% means."""
    try:
        values = tuple(each if each.endswith("%") else int(each) for each in words.split(","))
        wrong = any(size(value, 100) < 1 for value in values)
    except ValueError:
        wrong = True
    if wrong:
        right = "write numbers of hosts, 1 or more, and whole percentages, with commas: 1,5%,10%"
        raise argparse.ArgumentTypeError(f"{words!r}: {right}")
    return values


def number(kind: type[float], least: int, most: int, what: str) -> Callable[[str], float]:
    """Return a reader of numbers within limits, whose error says what is right."""

    def read(words: str) -> float:
        try:
            value = kind(words)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{words!r} is not {what} from {least} to {most}")
        return value

    return read


count = number(int, 1, MOST, "a whole number")  # of hosts, forks or processors
failures = number(int, 0, MOST, "a whole number")
share = number(float, 0, 1, "a share of all hosts")
seconds = number(float, 0, WEEK, "a number of seconds")


USUAL, FLEET = Rollout(), Fleet()
# fmt: off
OPTIONS: tuple[tuple[str, Any, Any, str], ...] = (
    ("hosts", count, FLEET.hosts, "how many there are"),
    ("serial", batches, USUAL.serial, "as in a playbook, with commas: 1,5%%,10%%"),
    ("forks", count, USUAL.forks, "of ansible-playbook"),
    ("soak", seconds, USUAL.soak, "seconds after the canary"),
    ("max-failed", failures, USUAL.max_failed, "hosts that may fail before it stops"),
    ("processors", count, USUAL.controller.processors, "of the controller"),
    ("stop", seconds, FLEET.stop, "the least and the most seconds of a stop"),
    ("start", seconds, FLEET.start, "the same of a start"),
    ("killed", share, FLEET.killed, "share of the hosts that need KILL"),
    ("schedule", seconds, FLEET.schedule, "seconds until KILL"),
    ("bad", share, FLEET.bad, "share of the hosts on which the new version fails"),
    ("lives", seconds, FLEET.lives, "seconds after its restart at which it fails"),
    ("unreachable", share, FLEET.unreachable, "share of the hosts that do not answer"),
    ("seed", int, FLEET.seed, "the same number gives the same hosts"),
)
# fmt: on


def arguments() -> argparse.ArgumentParser:
    """Return what the command takes."""
    words = argparse.ArgumentParser("fleet-simulation", description=__doc__.splitlines()[0])
    for name, kind, usual, meaning in OPTIONS:
        pair: dict[str, Any] = (
            {"nargs": 2, "metavar": ("MIN", "MAX")} if name in ("stop", "start") else {}
        )
        words.add_argument(f"--{name}", type=kind, default=usual, help=meaning, **pair)
    words.add_argument("--no-hooks", action="store_true", help="nothing is drained or resumed")
    words.add_argument("--json", action="store_true", help="print one object")
    words.add_argument(
        "--docs", action="store_true", help="write tables and picture of the documentation"
    )
    words.add_argument(
        "--compare", action="store_true", help="have ansible-playbook do small rollouts, too"
    )
    return words


def told(result: Result) -> str:
    """Return a result in words."""
    long = result.seconds >= 60
    time = f"{result.seconds / 60:.1f} minutes" if long else f"{result.seconds:.0f} seconds"
    batch = "batch" if result.batches == 1 else "batches"
    head = (
        f"stopped after {time}, in batch {result.batches}"
        if result.stopped
        else f"took {time}, in {result.batches} {batch}"
    )
    down, out = result.down_seconds / 3600, result.out_seconds / 3600
    return (
        f"{head}\n"
        f"restarted {result.touched}, down now {result.failed}, "
        f"unreachable {result.unreachable}\n"
        f"down at once {result.most_down} at most, {down:.1f} host-hours\n"
        f"out of service at once {result.most_out} at most, {out:.1f} host-hours\n"
        f"CPU seconds of the controller {result.processor_seconds:.0f}"
    )


def written() -> dict[str, list[figures.Row]]:
    """Return the figures that the documentation shows."""
    found: dict[str, list[figures.Row]] = json.loads(FIGURES.read_text())
    return found


def write(found: dict[str, list[figures.Row]]) -> None:
    """Write the figures, the tables of both pages, and the picture."""
    FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    for page in PAGES:
        page.write_text(report.renew(page.read_text(), found))
    PICTURE.write_text(picture(found["times"], found["faults"], DRAWN))


def main(argv: Sequence[str]) -> int:
    """Simulate what is asked for."""
    words = arguments()
    given = words.parse_args(argv)
    for name in ("stop", "start"):
        least, most = getattr(given, name)
        if least > most:
            words.error(f"argument --{name}: {least:g} {most:g}: write the smaller number first")
    if given.compare:
        try:
            compared = reality.compared()
        except FileNotFoundError as error:
            hint = "put Ansible's programs on the PATH (pip install ansible-core)"
            print(f"fleet-simulation: {error.filename} is not found: {hint}", file=sys.stderr)
            return 1
        print(report.reality({"ansible": compared}), end="")
        if given.docs:
            write({**written(), "ansible": compared})
        return 0
    if given.docs:
        write({**figures.all_figures(), "ansible": written()["ansible"]})
        return 0
    fleet = Fleet(
        hosts=given.hosts,
        seed=given.seed,
        stop=tuple(given.stop),
        start=tuple(given.start),
        killed=given.killed,
        schedule=given.schedule,
        unreachable=given.unreachable,
        bad=given.bad,
        lives=given.lives,
    )
    rollout = Rollout(
        serial=given.serial,
        forks=given.forks,
        soak=given.soak,
        max_failed=given.max_failed,
        tasks=WITHOUT_HOOKS if given.no_hooks else Tasks(),
        controller=Controller(given.processors),
    )
    result = simulate(fleet.fates(), rollout)
    print(json.dumps(result._asdict(), indent=2) if given.json else told(result))
    return 0

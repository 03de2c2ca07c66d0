"""What the pages and the picture show: simulations of 10,000 hosts, and runs of Ansible."""

from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Any

from simulation.fleet import Fate, Fleet
from simulation.rollout import (
    WITHOUT_HOOKS,
    Controller,
    Result,
    Rollout,
    Serial,
    attempts,
    simulate,
)

Row = dict[str, Any]

DEFAULT: tuple[Serial, ...] = Rollout().serial  # of the role, which a test compares
SERIALS: tuple[tuple[Serial, ...], ...] = (
    (50,), (200,), ("10%",), (1, "5%", "10%"), DEFAULT, (1, "1%", "5%", "20%")
)  # fmt: skip
FORKS = (20, 50, 100, 200, 500)
SEEDS = range(1, 21)  # of fleets in which few hosts fail: which of them is chance
RECOMMENDED = 100  # forks


def minutes(seconds: float) -> int:
    """Return whole minutes, one at least."""
    return max(1, round(seconds / 60))


def times(hosts: int, forks: Iterable[int] = FORKS) -> list[Row]:
    """Return how long each serial takes with each number of forks, where nothing fails."""
    fates, rows = Fleet(hosts).fates(), []
    for serial in SERIALS:
        results = {each: simulate(fates, Rollout(serial, each)) for each in forks}
        rows.append({
            "serial": list(serial),
            "out": max(result.most_out for result in results.values()),
            "minutes": {str(each): minutes(result.seconds) for each, result in results.items()},
            "down": {str(each): result.most_down for each, result in results.items()},
            "down_hours": {
                str(each): round(result.down_seconds / 3600) for each, result in results.items()
            },
            "out_hours": {
                str(each): round(result.out_seconds / 3600) for each, result in results.items()
            },
        })  # fmt: skip
    return rows


def faults(hosts: int, seeds: Iterable[int] = SEEDS) -> list[Row]:
    """Return what a failure costs: hosts that were touched until it stopped, and are down then."""
    everywhere = [Fleet(hosts, bad=1.0).fates()]
    some = [Fleet(hosts, seed, bad=0.05).fates() for seed in seeds]
    alone = Fleet(hosts).fates()
    alone[hosts // 2] = alone[hosts // 2]._replace(fails=True)
    return [
        {
            "serial": list(serial),
            "everywhere": cost(everywhere, serial),
            "twentieth": cost(some, serial),
            "one": cost([alone], serial),
        }
        for serial in SERIALS
    ]


def cost(fleets: Sequence[Sequence[Fate]], serial: tuple[Serial, ...]) -> list[int]:
    """Return how many hosts were touched, and how many are down, in the mean."""
    results = [simulate(fates, Rollout(serial, RECOMMENDED)) for fates in fleets]
    return [round(mean(r.touched for r in results)), round(mean(r.failed for r in results))]


def soaks(hosts: int) -> list[Row]:
    """Return what a soak finds: a version that ends some time after its start, on every host."""
    rows = []
    for lives in (0, 60, 300):
        fates = Fleet(hosts, bad=1.0, lives=lives).fates()
        results = [simulate(fates, Rollout(forks=RECOMMENDED, soak=soak)) for soak in (0, 120)]
        rows.append({"lives": lives, "touched": [result.touched for result in results]})
    return rows


def controllers(hosts: int) -> list[Row]:
    """Return how long the role's default takes by the size and the number of controllers."""
    fates, rows = Fleet(hosts).fates(), []
    for count, processors, forks in (
        (1, 2, 100), (1, 4, 100), (1, 8, 100), (1, 4, 200), (1, 8, 200), (1, 16, 500), (4, 4, 100)
    ):  # fmt: skip
        row: Row = {"controllers": count, "processors": processors, "forks": forks}
        for name, tasks in (("hooks", Rollout().tasks), ("plain", WITHOUT_HOOKS)):
            rollout = Rollout(forks=forks, tasks=tasks, controller=Controller(processors))
            row[name] = minutes(side_by_side(fates, rollout, count))
        rows.append(row)
    return rows


def side_by_side(fates: Sequence[Fate], rollout: Rollout, count: int) -> float:
    """Return the seconds until the last of several controllers has done its share."""
    return max(simulate(fates[begin::count], rollout).seconds for begin in range(count))


def unreachable(hosts: int) -> list[Row]:
    """Return what hosts that are down anyway cost: one in a thousand."""
    fates, rows = Fleet(hosts, unreachable=0.001).fates(), []
    for allowed in (0, 20):
        rollout = Rollout(forks=RECOMMENDED, max_failed=allowed)
        results: list[Result] = list(attempts(fates, rollout))
        lost = sum(not fate.reachable for fate in fates)
        seconds = sum(result.seconds for result in results)
        rows.append({"allowed": allowed, "unreachable": lost, "runs": len(results),
                     "minutes": minutes(seconds)})  # fmt: skip
    return rows


def all_figures(hosts: int = 10_000) -> dict[str, list[Row]]:
    """Simulate all that is shown. It takes about a minute for 10,000 hosts."""
    return {
        "times": times(hosts),
        "faults": faults(hosts),
        "soaks": soaks(hosts),
        "controllers": controllers(hosts),
        "unreachable": unreachable(hosts),
    }

"""The tables of docs/howto/fleet.md and docs/explanation/fleet.md."""

import json
from collections.abc import Iterable, Mapping, Sequence

from simulation.figures import Row


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    cells = [list(head), ["---"] * len(head), *([number(each) for each in row] for row in rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def number(value: object) -> str:
    """Return a cell; thousands have a comma."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def times(figures: Mapping[str, Sequence[Row]]) -> str:
    """Return how long each serial takes, and what a failure costs."""
    forks = list(figures["times"][0]["minutes"])
    head = ["`serial`", *(f"{each} forks" for each in forks), "drained at once",
            "bad everywhere", "bad on 1 in 20", "one bad host"]  # fmt: skip
    return table(head, (
        [f"`{json.dumps(row['serial'])}`", *(f"{each} min" for each in row["minutes"].values()),
         row["out"], *(pair(fault[name]) for name in
                       ("everywhere", "twentieth", "one"))]
        for row, fault in zip(figures["times"], figures["faults"], strict=True)
    ))  # fmt: skip


def pair(cost: Sequence[int]) -> str:
    """Return hosts touched, and those of them that are down."""
    touched, down = cost
    return f"{touched:,} / {down:,}"


def controllers(figures: Mapping[str, Sequence[Row]]) -> str:
    """Return how long the default takes on controllers of several sizes."""
    head = ["controllers", "processors of each", "forks of each", "with nova's hooks",
            "without hooks"]  # fmt: skip
    return table(head, (
        [row["controllers"], row["processors"], row["forks"], f"{row['hooks']} min",
         f"{row['plain']} min"] for row in figures["controllers"]
    ))  # fmt: skip


def soaks(figures: Mapping[str, Sequence[Row]]) -> str:
    """Return what a soak of the canary finds."""
    rows = ([f"{row['lives']} s after its start", *row["touched"]] for row in figures["soaks"])
    return table(["the new version ends", "touched, no soak", "touched, soak of 120 s"], rows)


def unreachable(figures: Mapping[str, Sequence[Row]]) -> str:
    """Return what hosts that are down anyway cost."""
    head = ["`rolling_restart_max_failed`", "hosts that nobody can reach", "runs",
            "minutes of all runs"]  # fmt: skip
    return table(head, (
        [row["allowed"], row["unreachable"], row["runs"], row["minutes"]]
        for row in figures["unreachable"]
    ))  # fmt: skip


def reality(figures: Mapping[str, Sequence[Row]]) -> str:
    """Return how long Ansible took, and how long the simulation says."""
    head = ["hosts", "`serial`", "forks", "Ansible", "simulated", "difference"]
    return table(head, (
        [row["hosts"], f"`{json.dumps(row['serial'])}`", row["forks"], f"{row['ansible']} s",
         f"{row['simulated']} s", f"{100 * (row['simulated'] / row['ansible'] - 1):+.0f} %"]
        for row in figures["ansible"]
    ))  # fmt: skip


TABLES = {
    each.__name__: each for each in (times, controllers, soaks, unreachable, reality)
}  # fmt: skip


def renew(page: str, figures: Mapping[str, Sequence[Row]]) -> str:
    """Return a page with new tables in place of those between its marks."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name}: by scripts/fleet-simulation -->\n", f"\n<!-- end of {name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            _, _, after = rest.partition(end)
            page = f"{before}{begin}{make(figures)}{end}{after}"
    return page

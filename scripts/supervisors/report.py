"""From what each run has found to one figure for each row and supervisor, beside its target."""

import statistics
from collections.abc import Callable
from typing import Any

from supervisors.stage import PATIENCE

Runs = list[dict[str, Any]]  # what the runs of one row with one supervisor have found
Figure = float | None
Found = dict[str, dict[str, Runs]]  # row -> supervisor -> runs
# title, unit, which measurement, how to make a figure of it, its limit for ssd-supervise:
# a number, or text: what may be added to the floor's.
Row = tuple[str, str, str, Callable[[Runs], Figure], str, float | str | None]


def typical(key: str, unit: float = 1) -> Callable[[Runs], Figure]:
    """Make the median of what the runs found; None if it took too long in one of them."""

    def figure(runs: Runs) -> Figure:
        values = [run[key] for run in runs]
        return None if None in values else statistics.median(values) * unit

    return figure


def worst(key: str) -> Callable[[Runs], Figure]:
    """Make the worst that the runs found, where any is too many."""
    return lambda runs: max(run[key] for run in runs)


def every(key: str) -> Callable[[Runs], Figure]:
    """Make 1 if the runs all found it, else 0."""
    return lambda runs: int(all(run[key] for run in runs))


def pooled(key: str, share: float) -> Callable[[Runs], Figure]:
    """Make a quantile, in milliseconds, of all samples of all runs."""

    def figure(runs: Runs) -> Figure:
        values = sorted(value for run in runs for value in run[key])
        if share == 0.5:
            return statistics.median(values) * 1e3
        return values[min(len(values) - 1, int(len(values) * share))] * 1e3

    return figure


def over_interpreter(key: str) -> Callable[[Runs], Figure]:
    """Make the time of a command as a multiple of the interpreter's own start."""
    return lambda runs: pooled(key, 0.5)(runs) / pooled("interpreter", 0.5)(runs)  # type: ignore


def more_for_all(runs: Runs) -> Figure:
    """Return how much longer the status of all takes than that of one."""
    return pooled("status all", 0.5)(runs) - pooled("status one", 0.5)(runs)  # type: ignore


AT_MOST, AT_LEAST = "at most", "at least"

ROWS: list[Row] = [
    ("500 services up", "s", "up 500", typical("up"), AT_MOST, 1.0),
    ("1,000 services up", "s", "up 1000", typical("up"), AT_MOST, 1.8),
    ("1,000 services up: processor time", "s", "up 1000", typical("up cpu"), AT_MOST, None),
    ("memory, 500 services", "MB", "up 500", typical("pss"), AT_MOST, None),
    ("memory, 1,000 services", "MB", "up 1000", typical("pss"), AT_MOST, 14),
    ("of it anonymous", "MB", "up 1000", typical("anonymous"), AT_MOST, None),
    ("processes of its own", "", "up 1000", typical("processes"), AT_MOST, None),
    ("memory, 1,000 services with logs", "MB", "logged 1000", typical("pss"), AT_MOST, 16),
    ("of it anonymous, with logs", "MB", "logged 1000", typical("anonymous"), AT_MOST, None),
    ("1,000 services with logs up", "s", "logged 1000", typical("up"), AT_MOST, None),
    ("idle with 500: processor time", "ms a minute", "idle", typical("cpu", 1e3), AT_MOST, 0),
    ("idle with 500: wake-ups", "a minute", "idle", typical("wakeups"), AT_MOST, 0),
    ("killed to successor, alone", "ms", "alone", pooled("reaction", 0.5), AT_MOST, "0.5"),
    ("median of 500", "ms", "up 500", pooled("reaction", 0.5), AT_MOST, "0.5"),
    ("p99 of 500", "ms", "up 500", pooled("reaction", 0.99), AT_MOST, 10),
    ("median of 1,000", "ms", "up 1000", pooled("reaction", 0.5), AT_MOST, "0.5"),
    ("p99 of 1,000", "ms", "up 1000", pooled("reaction", 0.99), AT_MOST, 10),
    ("one of 1,000 killed: processor time", "ms", "up 1000", typical("restart cpu", 1e3), AT_MOST,
     None),
    ("stop 100: the 95 are gone", "s", "stop", typical("obedient"), AT_MOST, 0.1),
    ("all are gone", "s", "stop", typical("all"), AT_MOST, 2.1),
    ("descendants left", "of 5", "stop", worst("left"), AT_MOST, 0),
    ("crash loop: starts in 1 s", "", "crash", typical("in 1 s"), AT_MOST, None),
    ("crash loop: starts in 10 s", "", "crash", typical("in 10 s"), AT_MOST, 10),
    ("fails five times: works after", "s", "crash", typical("works after"), AT_MOST, None),
    ("100 MB of log", "MB/s", "volume 0", typical("rate"), AT_LEAST, None),
    ("100 MB of log: beside cat", "x", "volume 0", typical("ratio"), AT_LEAST, 0.9),
    ("100 MB of log: processor time", "s", "volume 0", typical("cpu"), AT_MOST, 0.2),
    ("100 MB of log: byte for byte", "", "volume 0", every("same"), AT_LEAST, 1),
    ("100 MB beside 999", "MB/s", "volume 999", typical("rate"), AT_LEAST, None),
    ("100 MB beside 999: beside cat", "x", "volume 999", typical("ratio"), AT_LEAST,
     0.9),
    ("100 MB beside 999: processor time", "s", "volume 999", typical("cpu"), AT_MOST, 0.2),
    ("100 MB beside 999: byte for byte", "", "volume 999", every("same"), AT_LEAST, 1),
    ("status of one", "ms", "up 1000", pooled("status one", 0.5), AT_MOST, None),
    ("status of one: of python's start", "x", "up 1000", over_interpreter("status one"), AT_MOST,
     1.2),
    ("status of 1,000", "ms", "up 1000", pooled("status all", 0.5), AT_MOST, None),
    ("status of 1,000: more than of one", "ms", "up 1000", more_for_all, AT_MOST, 10),
    ("killed and started again: kept", "of 4", "death", typical("kept"), AT_LEAST, 4),
    ("killed and started again: alive", "of 4", "death", worst("alive"), AT_MOST, 4),
    ("killed and started again: lines lost", "", "death", worst("lost"), AT_MOST, 0),
    ("process 1: zombies", "", "first", worst("zombies"), AT_MOST, 0),
    ("process 1: TERM reaches services", "", "first", every("told"), AT_LEAST, 1),
    ("process 1: gone after", "s", "first", typical("gone"), AT_MOST, None),
]  # fmt: skip

OURS = "ssd-supervise"


def rows(found: Found, known: list[Row] = ROWS) -> list[dict[str, Any]]:
    """Return the rows that were measured, with the figures of all supervisors."""
    out = []
    for title, unit, source, figure, sense, limit in known:
        runs = {tool: good for tool, all_ in found.get(source, {}).items()
                if (good := [run for run in all_ if "failed" not in run])}  # fmt: skip
        if not runs:
            continue
        figures = {tool: rounded(figure(found_)) for tool, found_ in runs.items()}
        if isinstance(limit, str):
            limit = None if figures.get("floor") is None else figures["floor"] + float(limit)
        limit = None if limit is None else round(limit, 3)
        row = {"row": title, "unit": unit, "limit": limit, "sense": sense,
               "figures": figures, "runs": max(map(len, runs.values()))}  # fmt: skip
        out.append(row)
    return out


def rounded(value: Figure) -> Figure:
    """Return three figures of a number, without a fraction if it is large."""
    if value is None or value == 0:
        return value
    return float(f"{value:.3g}") if abs(value) < 100 else round(value)


def verdict(row: dict[str, Any]) -> str:
    """Say whether ssd-supervise is within its limit, and by how much it is not."""
    if row["limit"] is None or OURS not in row["figures"]:
        return ""
    ours, limit = row["figures"][OURS], row["limit"]
    if ours is None:
        return "missed"
    if (ours <= limit) if row["sense"] == AT_MOST else (ours >= limit):
        return "ok"
    return f"missed by {abs(ours - limit):.3g}"


def table(rows: list[dict[str, Any]]) -> str:
    """Print one line for each row, and a column for each supervisor."""
    tools = list(dict.fromkeys(tool for row in rows for tool in row["figures"]))
    head = f"{'':42}" + "".join(f"{tool:>14}" for tool in tools) + f"{'limit':>9}"
    lines = [head]
    for row in rows:
        cells = (shown(row["figures"].get(tool, "")) for tool in tools)
        title = f"{row['row']}{', ' if row['unit'] else ''}{row['unit']}"
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        lines.append(f"{title:42}" + "".join(f"{cell:>14}" for cell in cells)
                     + f"{limit:>9}  {verdict(row)}".rstrip())  # fmt: skip
    return "\n".join(lines)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table for docs/explanation/supervision-cost.md."""
    tools = list(dict.fromkeys(tool for row in rows for tool in row["figures"]))
    lines = [["", *tools, "limit"], ["---"] * (len(tools) + 2)]
    for row in rows:
        title = f"{row['row']}, {row['unit']}" if row["unit"] else row["row"]
        cells = [shown(row["figures"].get(tool, "")) for tool in tools]
        sign = "" if row["limit"] is None else {AT_MOST: "≤ ", AT_LEAST: "≥ "}[row["sense"]]
        lines.append(
            [title, *cells, f"{sign}{'' if row['limit'] is None else shown(row['limit'])}"]
        )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def renew(page: str, rows: list[dict[str, Any]], heading: str = "") -> str:
    """Return a page with a new table in place of the first one after a heading."""
    begin = page.index("|  |", page.index(heading))
    end = page.index("\n\n", begin) + 1
    return page[:begin] + markdown(rows) + page[end:]


def shown(value: object) -> str:
    """Return a figure as text; for what was not waited for, how long that would be."""
    if value is None:
        return f"> {PATIENCE:g}"
    return f"{value:,g}" if isinstance(value, (int, float)) else ""

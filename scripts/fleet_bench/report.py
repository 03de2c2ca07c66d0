"""From what each run has found to a table, and to verdicts."""

import statistics
from collections.abc import Mapping
from typing import Any

Found = Mapping[str, Mapping[str, list[dict[str, float]]]]  # situation -> contender -> runs
Rows = list[dict[str, Any]]
COLUMNS = {
    "wall": "ms that pass",
    "host": "ms of the host's processor",
    "controller": "ms of the controller's",
}
OURS = "ssd.daemon.service"
TOLERANCE = 1.05  # medians of equal things differ by as much
BESIDE = "sysvinit"  # begins the names of those that ours must not be slower than
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def rows(found: Found) -> Rows:
    """Return a row for each situation and contender, with medians of the runs in it."""
    return [
        {
            "situation": situation,
            "contender": contender,
            "runs": len(runs),
            **{key: round(statistics.median(run[key] for run in runs), 1) for key in COLUMNS},
        }
        for situation, contenders in found.items()
        for contender, runs in contenders.items()
        if runs
    ]


def verdicts(measured: Rows) -> list[str]:
    """Return a line for each situation: whether ours takes more than a sysvinit."""
    lines = []
    for situation in dict.fromkeys(row["situation"] for row in measured):
        here = {row["contender"]: row for row in measured if row["situation"] == situation}
        rivals = {name: row for name, row in here.items() if name.startswith(BESIDE)}
        if OURS in here and rivals:
            slower = [
                f"{key} {here[OURS][key]} > {row[key]} ({name})"
                for name, row in rivals.items()
                for key in COLUMNS
                if here[OURS][key] > row[key] * TOLERANCE
            ]
            lines.append(f"{situation}: {'more: ' + ', '.join(slower) if slower else 'ok'}")
    return lines


def table(measured: Rows) -> str:
    """Return the rows as a table of Markdown."""
    lines = ["| | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "---|" * len(COLUMNS)]
    for row in measured:
        figures = " | ".join(f"{row[key]:.0f}" for key in COLUMNS)
        lines.append(f"| {row['situation']}: {row['contender']} | {figures} |")
    return "\n".join([*lines, ""])


def renewed(page: str, measured: Rows) -> str:
    """Return a page with its table replaced; ValueError if it has no place for one."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN.strip()} or {END.strip()}")
    return f"{head}{begin}\n{table(measured)}\n{end}{tail}"

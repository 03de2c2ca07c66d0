"""The picture of docs/howto/fleet.md: how long a rollout takes, and what a bad version costs."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from simulation.figures import Row

STYLE = """
text { font: 12px sans-serif; fill: #24292f; }
.head { font-size: 14px; font-weight: bold; } .soft { fill: #57606a; }
.grid { stroke: #d0d7de; } .back { fill: #ffffff; }
path { fill: none; stroke-width: 2.5; } .a { stroke: #3b72b5; } .b { stroke: #8a6d3b; }
.c { stroke: #3a7d44; } .all { fill: #c33025; } .some { fill: #d4880f; }
.dot.a { fill: #3b72b5; } .dot.b { fill: #8a6d3b; } .dot.c { fill: #3a7d44; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .soft { fill: #9aa4af; } .grid { stroke: #30363d; } .back { fill: #0d1117; }
.a { stroke: #6ea8ea; } .b { stroke: #c9a86a; } .c { stroke: #5fb36d; }
.dot.a { fill: #6ea8ea; } .dot.b { fill: #c9a86a; } .dot.c { fill: #5fb36d; }
.all { fill: #f0675c; } .some { fill: #e3a33b; }
}"""
WIDTH, HEIGHT, TOP, BOTTOM = 980, 360, 56, 316
BARS = (("all", "bad on every host"), ("some", "bad on 1 in 20"))
LINES = ("a", "b", "c")  # classes of the lines, for the serials that are drawn


def shown(serial: Sequence[object]) -> str:
    """Return a value of serial as a playbook has it."""
    return ", ".join(str(each) for each in serial)


def picture(times: Sequence[Row], faults: Sequence[Row], drawn: Sequence[Sequence[object]]) -> str:
    """Draw minutes by forks for the serials ``drawn``, and what a failure costs for all."""
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        "<title>A rolling restart of 10,000 hosts: minutes by forks, and hosts that a bad version "
        "has reached when it stops</title>",
        f"<style>{STYLE}\n</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        *lines([row for row in times if row["serial"] in [list(each) for each in drawn]]),
        *bars(faults),
        "</svg>",
        "",
    ])  # fmt: skip


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Return one piece of text."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Draw minutes by forks."""
    forks = list(rows[0]["minutes"])
    most = max(max(row["minutes"].values()) for row in rows)
    limit = math.ceil(most / 50) * 50

    def across(index: int) -> float:
        return 56 + index * 350 / (len(forks) - 1)

    def up(value: float) -> float:
        return float(round(BOTTOM - value * (BOTTOM - TOP) / limit, 1))

    yield text(8, 24, "minutes, by forks", "head")
    for value in range(0, limit + 1, 50):
        yield f'<line class="grid" x1="56" y1="{up(value)}" x2="406" y2="{up(value)}"/>'
        yield text(48, up(value) + 4, str(value), "soft", "end")
    for index, each in enumerate(forks):
        yield text(across(index), BOTTOM + 20, each, "soft", "middle")
    for index, (kind, row) in enumerate(zip(LINES, rows, strict=True)):
        points = [(across(at), up(value)) for at, value in enumerate(row["minutes"].values())]
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        yield f'<path class="{kind}" d="M {path}"/>'
        for (x, y), (each, value) in zip(points, row["minutes"].items(), strict=True):
            words = f"serial {shown(row['serial'])}, {each} forks: {value} minutes"
            dot = f'<circle class="dot {kind}" cx="{x:g}" cy="{y:g}" r="4">'
            yield f"{dot}<title>{words}</title></circle>"
        y = TOP + 10 + 18 * index
        yield f'<path class="{kind}" d="M 226,{y - 4} 250,{y - 4}"/>'
        yield text(258, y, f"serial: {shown(row['serial'])}")


def bars(rows: Sequence[Row]) -> Iterator[str]:
    """Draw how many hosts a bad version has reached, each power of ten as far as the next."""
    left, step = 590, 84

    def far(value: float) -> float:
        return round(left + 14 + step * math.log10(value), 1)

    yield text(452, 24, "hosts restarted when a bad version stops it", "head")
    for power in range(4):
        x = far(10**power)
        yield f'<line class="grid" x1="{x}" y1="{TOP}" x2="{x}" y2="{BOTTOM}"/>'
        yield text(x, BOTTOM + 20, f"{10**power:,}", "soft", "middle")
    gap = (BOTTOM - TOP) / len(rows)
    for index, row in enumerate(rows):
        y = round(TOP + gap * index + 4, 1)
        yield text(left - 8, y + 20, shown(row["serial"]), "", "end")
        for kind, name, offset in (("all", "everywhere", 0), ("some", "twentieth", 16)):
            touched, down = row[name]
            x = far(touched)
            bar = f'x="{left}" y="{y + offset:g}" width="{x - left:g}" height="13" rx="2"'
            words = f"{touched:,} restarted, {down:,} of them down"
            yield f'<rect class="{kind}" {bar}><title>{words}</title></rect>'
            yield text(x + 6, y + offset + 11, f"{touched:,}, {down:,} down")
    for index, (kind, words) in enumerate(BARS):
        x = left + index * 160
        yield f'<rect class="{kind}" x="{x}" y="36" width="12" height="12" rx="2"/>'
        yield text(x + 18, 46, words)

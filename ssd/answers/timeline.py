"""Draw what a stop or a start did, signal by signal, as SVG. Pure: steps become text.

A lane for each process, from its start to its end; a mark for each signal; above them a lane for
what the command itself did. The axis below has seconds. The colours suit a light and a dark
background.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH, LEFT, RIGHT = 860, 190, 30  # of the picture, of the labels, and the space after the axis
TOP, LANE, AXIS = 48, 52, 34  # heights
LEVELS, LETTER = 2, 6.6  # rows of texts above a lane, and the width of a letter of 11 px
MAX_LANES = 40  # more would be no picture
STEPS = (1, 2, 5)  # of a scale, times a power of ten
MAX_TICKS = 10
SHORTEST = 0.01  # seconds: a picture of a single moment
LABEL_LENGTH, TITLE_LENGTH = 26, 100  # characters

STYLE = """
text { font: 11px sans-serif; fill: #24292f; } .title { font-size: 14px; font-weight: bold; }
.soft { fill: #57606a; } .grid { stroke: #d0d7de; } .life { fill: #9fc5a8; }
.open { fill: #cfe3d4; } .mark { stroke: #24292f; stroke-width: 2; }
.TERM { fill: #d4880f; } .KILL { fill: #c33025; } .signal { fill: #3b72b5; }
.denied { fill: none; stroke: #c33025; stroke-width: 2; } .back { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .soft { fill: #9aa4af; } .grid { stroke: #30363d; }
.life { fill: #3a7d44; } .open { fill: #234a2a; } .mark { stroke: #e6edf3; }
.TERM { fill: #e3a33b; } .KILL { fill: #f0675c; } .signal { fill: #6ea8ea; }
.denied { stroke: #f0675c; } .back { fill: #0d1117; }
}
"""


class Mark:
    """What is drawn at a moment: ``at`` seconds, its text, its kind, and a sentence for hover."""

    __slots__ = ("at", "text", "kind", "sentence")

    def __init__(self, at: float, text: str, kind: str, sentence: str) -> None:
        self.at: float = at
        self.text: str = text
        self.kind: str = kind  # signal, denied, ended or step
        self.sentence: str = sentence


class Lane:
    """One process: its label, when it began and when it ended (None: it still ran), its marks.

    The lane of the command itself has no life: ``begin`` is None.
    """

    __slots__ = ("label", "begin", "end", "marks")

    def __init__(
        self, label: str, begin: float | None, end: float | None, marks: "Sequence[Mark]" = ()
    ) -> None:
        self.label: str = label
        self.begin: float | None = begin
        self.end: float | None = end
        self.marks: list[Mark] = list(marks)


def draw(title: str, lanes: "Sequence[Lane]", length: float) -> str:
    """Return the picture of lanes over ``length`` seconds."""
    shown, left_out = lanes[:MAX_LANES], len(lanes) - MAX_LANES
    last = max((mark.at for lane in shown for mark in lane.marks), default=0.0)
    total = max(length, last, SHORTEST)
    unit = scale(total)
    total = unit * -int(-total / unit // 1)  # to a full unit
    height = TOP + LANE * len(shown) + AXIS
    parts = [*_axis(total, unit, TOP + LANE * len(shown))]
    for row, lane in enumerate(shown):
        parts += _lane(lane, TOP + LANE * row, total)
    if left_out > 0:
        parts.append(_words(8, height - 8, f"and {left_out} more", "soft"))
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="back" width="{WIDTH}" height="{height}"/>',
            _words(8, 20, _cut(title, TITLE_LENGTH), "title"),
            *parts,
            "</svg>",
            "",
        ]
    )


def scale(seconds: float) -> float:
    """Return the distance of ticks, in seconds: 1, 2 or 5 times a power of ten."""
    power = 1e-4
    while True:
        for step in STEPS:
            if seconds / (step * power) <= MAX_TICKS:
                return step * power
        power *= 10


def levels(ends: "Iterable[tuple[float, float]]") -> list[int]:
    """Return the row for each text, given where it begins and ends: none covers another.

    If the rows do not suffice, a text is left out (-1): the mark has it for hover.
    """
    free, found = [float("-inf")] * LEVELS, []
    for begin, end in ends:
        level = next((each for each in range(LEVELS) if free[each] <= begin), -1)
        if level >= 0 and end > begin:
            free[level] = end
        found.append(level)
    return found


def escape(text: str) -> str:
    """Return a text for XML: escaped, and without characters that XML does not have."""
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, entity)
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def number(value: float) -> str:
    """Return a number for people: at most four digits after the point, no zeros at its end."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _x(at: float, total: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / total


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _words(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{number(x)}" y="{y}"{named} text-anchor="{anchor}">{escape(text)}</text>'


def _axis(total: float, unit: float, y: int) -> "Iterable[str]":
    for tick in range(round(total / unit) + 1):
        x = number(_x(tick * unit, total))
        yield f'<line class="grid" x1="{x}" y1="{TOP - 10}" x2="{x}" y2="{y}"/>'
        yield _words(float(x), y + 16, f"{number(tick * unit)} s", "soft", "middle")


def _lane(lane: Lane, y: int, total: float) -> "Iterable[str]":
    middle = y + LANE - 14
    label = _words(8, middle + 4, _cut(lane.label, LABEL_LENGTH))
    yield f"<g><title>{escape(lane.label)}</title>{label}</g>"
    if lane.begin is not None:
        begin, end = _x(lane.begin, total), _x(total if lane.end is None else lane.end, total)
        kind = "open" if lane.end is None else "life"
        until = "it still ran" if lane.end is None else f"ended at {number(lane.end)} s"
        yield (
            f'<rect class="{kind}" x="{number(begin)}" y="{middle - 5}" '
            f'width="{number(max(2.0, end - begin))}" height="10" rx="3">'
            f"<title>{escape(f'{lane.label}: {until}')}</title></rect>"
        )
    places = [_x(mark.at, total) for mark in lane.marks]
    texts = [mark.text for mark in lane.marks]
    widths = (LETTER * (len(text) + 1) if text else 0.0 for text in texts)
    spans = [(x, x + width) for x, width in zip(places, widths)]
    rows = levels(spans)
    for mark, x, span, level in zip(lane.marks, places, spans, rows):
        yield f"<g><title>{escape(mark.sentence)}</title>{_shape(mark, x, middle)}"
        if level >= 0 and mark.text:
            anchor = "start" if span[1] <= WIDTH else "end"
            yield _words(x, middle - 10 - 12 * level, mark.text, anchor=anchor)
        yield "</g>"


def _shape(mark: Mark, x: float, y: int) -> str:
    """Return the shape of a mark: a triangle for a signal, a bar for an end, a dot for a step."""
    at = number(x)
    if mark.kind == "ended":
        return f'<line class="mark" x1="{at}" y1="{y - 8}" x2="{at}" y2="{y + 8}"/>'
    if mark.kind == "step":
        return f'<circle class="signal" cx="{at}" cy="{y}" r="4"/>'
    kind = mark.text if mark.text in ("TERM", "KILL") else "signal"
    points = f"{at},{y + 7} {number(x - 6)},{y - 6} {number(x + 6)},{y - 6}"
    return f'<polygon class="{"denied" if mark.kind == "denied" else kind}" points="{points}"/>'


def lanes_of(
    steps: "Iterable[Mapping[str, object]]",
    known: "Mapping[int, tuple[str, float]]",
    command: str,
) -> list[Lane]:
    """Turn the steps of an answer (docs/reference/json.md) into lanes, in the order of their first.

    ``known``: what to call a process, and when it began, by pid; 0 for one that was there before.
    ``command`` names the lane of the command itself, which is there only if it did something.
    """
    own, running, lanes = Lane(command, None, None), dict[int, Lane](), list[Lane]()
    detached: float | None = None
    for step in steps:
        at, event, pid = float(str(step["at"])), str(step["event"]), step.get("pid")
        if not isinstance(pid, int):
            own.marks.append(_mark(step, at, event, command))
            detached = at if event == "detached" else detached
            continue
        if pid not in running:
            label, begin = known.get(pid, (f"pid {pid}", 0.0))
            if event == "started":  # as a start says when it is ready; it was detached before
                begin = at if detached is None else detached
            running[pid] = Lane(label, min(begin, at), None)
            lanes.append(running[pid])
        lane = running[pid]
        lane.marks.append(_mark(step, at, event, lane.label))
        if event == "ended":
            lane.end = at
            del running[pid]  # another process may get the pid
    return [*([own] if own.marks else []), *lanes]


def _mark(step: "Mapping[str, object]", at: float, event: str, label: str) -> Mark:
    when = f"{number(at)} s"
    signal, reason = str(step.get("signal")), step.get("reason")
    if event == "signal":
        whom = label if "group" not in step else f"process group {step['group']}"
        return Mark(at, signal, "signal", f"{when}: {signal} sent to {whom}")
    if event == "denied":
        text = f"{when}: {signal} was not sent to {label}: {reason}"
        return Mark(at, f"{signal}: {reason}", "denied", text)
    if event == "ended":
        how = f" with exit status {step['exit_status']}" if "exit_status" in step else ""
        return Mark(at, "", "ended", f"{when}: {label} ended{how}")
    known = ("at", "event", "pid", "start_time")
    rest = " ".join(str(value) for key, value in step.items() if key not in known)
    return Mark(at, event, "step", f"{when}: {event} {rest}".rstrip())

"""What happened among declared processes, in order, and its picture in text."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ssd.testing.process import FakeProcess, Sent

MAX_SHOWN = 100  # events below a test that failed; a schedule that repeats for ever makes many


class Event(NamedTuple):
    """Anything that happened: when, to which process by the name it had, and what."""

    time: float
    pid: int
    name: str
    what: str


def event(time: float, process: FakeProcess, what: str) -> Event:
    """Make the event of a process; what it is called may be another name later."""
    return Event(time, process.pid, os.fsdecode(process.name), what)


def _on_a_line(text: str) -> str:
    """Return a text as it is, or escaped if it would break the line: names may have newlines."""
    return text if text.isprintable() else ascii(text)[1:-1]


def timeline(
    events: Sequence[Event], now: float, living: Sequence[FakeProcess], before: int = 0
) -> str:
    """Draw what happened, a line for each event, and below it who is there now.

    ``before`` is how many events are left out at the beginning.
    """
    rows = [
        (f"{each.time:.2f}", str(each.pid), _on_a_line(each.name), _on_a_line(each.what))
        for each in events
    ]
    width = max((len(row[2]) for row in rows), default=0)
    lines = [f"{time:>10} {pid:>7} {name:<{width}}  {what}" for time, pid, name, what in rows]
    if before:
        lines.insert(0, f"{'':18} ({before} events before)")
    there = ", ".join(
        f"{_on_a_line(os.fsdecode(each.name))} {each.pid} {each.state}" for each in living
    )
    return "\n".join(
        ["   seconds     pid", *lines, f"{now:10.2f}         now: {there or 'nobody'}"]
    )


def explain(left: object, right: object) -> list[str] | None:
    """Say how two lists of signals differ; None unless signals of a fake table are in one."""
    if not isinstance(left, list) or not isinstance(right, list):
        return None
    table = next((each.process.table for each in left + right if isinstance(each, Sent)), None)
    if table is None:
        return None
    lines = ["the signals differ:"]
    for index in range(max(len(left), len(right))):
        one, two = left[index : index + 1], right[index : index + 1]
        lines += [f"  {each!r}" for each in one] if one == two else (
            [f"- {each!r}" for each in one] + [f"+ {each!r}" for each in two]
        )  # fmt: skip
    return [*lines, "", *table.timeline(MAX_SHOWN).splitlines()]

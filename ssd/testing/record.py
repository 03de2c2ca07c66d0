"""The record of a fake machine: what happened to its processes, and how it is shown as text."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ssd.testing.process import FakeProcess, Sent

MAX_SHOWN = 100  # events below a failed test; an endless schedule makes many


class Event(NamedTuple):
    """What happened to a process: time, pid, the name that it had then, and what."""

    time: float
    pid: int
    name: str
    what: str


def event(time: float, process: FakeProcess, what: str) -> Event:
    """Return the event of a process, with its present name."""
    return Event(time, process.pid, os.fsdecode(process.name), what)


def _on_a_line(text: str) -> str:
    """Return a text, escaped if it is not printable: names may have newlines."""
    return text if text.isprintable() else ascii(text)[1:-1]


def timeline(
    events: Sequence[Event], now: float, living: Sequence[FakeProcess], before: int = 0
) -> str:
    """Return the events as text, one a line, and below them the processes that exist now.

    ``before`` is the number of events that are left out at the beginning.
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
        ["   seconds     pid", *lines, f"{now:10.2f}         now: {there or 'no process'}"]
    )


def explain(left: object, right: object) -> list[str] | None:
    """Return how two lists of signals differ; None unless one has signals of a fake table."""
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

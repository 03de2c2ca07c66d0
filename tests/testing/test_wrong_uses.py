"""Mistakes in a test: each raises where it is made."""

import signal
from collections.abc import Callable

import pytest

from ssd.testing import FakeProcesses, dies, exits, ignores, in_turn

TERM, NAN = signal.SIGTERM, float("nan")

SLIPS: dict[str, tuple[Callable[[FakeProcesses], object], type[Exception], str]] = {
    "a negative delay": (lambda table: table.clock.after(-1, list), ValueError, "delay is -1"),
    "NaN as a time": (lambda table: table.clock.at(NAN, list), ValueError, "NaN is not a time"),
    "a clock put to NaN": (lambda table: table.clock.advance(NAN), ValueError, "in the past"),
    "a death in the past": (lambda table: dies(after=-1), ValueError, "after is -1"),
    "an exit in the past": (lambda table: exits(after=NAN), ValueError, "after is nan"),
    "dying in the past": (lambda table: table.init.die(-1), ValueError, "after is -1"),
    "reaped before its end": (
        lambda table: table.add("webd", reaped_after=-1), ValueError, "reaped_after is -1"),
    "ready before it starts": (
        lambda table: table.register("/webd", ready_after=-1), ValueError, "ready_after is -1"),
    "pid 0": (lambda table: table.add("webd", pid=0), ValueError, "0 cannot be a pid"),
    "a process group": (lambda table: table.add("webd", pid=-3), ValueError, "-3 cannot be"),
    "a signal by its name": (
        lambda table: table.add("webd", reactions={"TERM": ignores()}), TypeError, "'TERM'"),
    "a reaction by its name": (
        lambda table: table.add("webd", reactions={TERM: "dies"}), TypeError, "'dies'"),
    "a program's reaction by its name": (
        lambda table: table.register("/webd", reactions={TERM: "dies"}), TypeError, "'dies'"),
    "a maker of reactions": (
        lambda table: table.add("webd", reactions={TERM: dies}), TypeError, r"call it, dies\("),
    "a program that runs a maker": (
        lambda table: table.register("/webd", runs=exits), TypeError, r"call it, exits\("),
    "a plan of a maker": (
        lambda table: table.init.after(5, ignores), TypeError, r"call it, ignores\("),
    "turns of a maker": (
        lambda table: in_turn(dies(), dies), TypeError, r"call it, dies\("),
    "no turn at all": (lambda table: in_turn(), ValueError, "at least one"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_told_where_it_is_made(fake_processes: FakeProcesses, slip: str) -> None:
    """The error has the value; the machine is not changed."""
    make, kind, text = SLIPS[slip]
    before = fake_processes.pids()
    with pytest.raises(kind, match=text):
        make(fake_processes)
    assert (before, 0) == (fake_processes.pids(), fake_processes.now())

"""Waits that would hang raise: a fake table knows when no event is to come."""

import asyncio
import signal
from collections.abc import Callable

import pytest

import ssd
from ssd import aio as loops
from ssd.testing import FakeProcesses, SsdCommand, WaitsForEver, clock, dies, ignores

TERM = signal.SIGTERM


def test_wait_that_would_hang_raises(fake_processes: FakeProcesses) -> None:
    """If no event is to come, the test fails and names the awaited process."""
    with (
        fake_processes.open(fake_processes.add("calm").identity) as handle,
        pytest.raises(WaitsForEver, match="<calm 101, running>.*: declare one"),
    ):
        fake_processes.wait([handle], None)


def test_stop_that_never_ends_does_not_hang(fake_processes: FakeProcesses) -> None:
    """Time jumps: the schedule would go on, and the record grow, until memory is full."""
    webd = fake_processes.add("webd", reactions={TERM: ignores()})
    fake_processes.clock.at(100_000, webd.die)  # so that this test ends, whatever is broken
    with pytest.raises(WaitsForEver, match="webd 101, running> still lives after 10000 signals"):
        ssd.stop(ssd.Match(name="webd"), "TERM/5/forever/TERM/5", table=fake_processes)


@pytest.mark.parametrize("by", ["library", "asyncio", "command"])
def test_waits_without_an_end_do_not_hang(
    by: str, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schedule that only waits sends nothing that could be counted."""
    monkeypatch.setattr(clock, "MAX_IDLE_WAITS", 2_000)  # the whole number takes a loop seconds
    fake_processes.add("webd", reactions={TERM: ignores()})
    match, schedule = ssd.Match(name="webd"), "TERM/5/forever/5"
    stops: dict[str, Callable[[], object]] = {
        "library": lambda: ssd.stop(match, schedule, table=fake_processes),
        "asyncio": lambda: asyncio.run(loops.stop(match, schedule, table=fake_processes)),
        "command": lambda: SsdCommand(fake_processes)(
            "--stop", "--name", "webd", "--retry", schedule
        ),
    }
    with pytest.raises(WaitsForEver, match="2000 waits for one of .*webd 101, running"):
        stops[by]()


def test_waits_are_no_end_while_something_is_to_come(fake_processes: FakeProcesses) -> None:
    """However long it takes: 120000 looks, and then it ends."""
    webd = fake_processes.add("webd", reactions={TERM: dies(after=600_000)})
    ssd.stop(ssd.Match(name="webd"), "TERM/forever/5", table=fake_processes)
    assert ("gone", 600_000) == (webd.state, fake_processes.now())


def test_wait_for_another_than_what_comes_does_not_hang(fake_processes: FakeProcesses) -> None:
    """A beat that makes itself come again would keep it waiting."""

    def beat() -> None:
        fake_processes.clock.after(1, beat)

    beat()
    with (
        fake_processes.open(fake_processes.add("calm").identity) as handle,
        pytest.raises(WaitsForEver, match="after 1000000 events"),
    ):
        fake_processes.wait([handle], None)

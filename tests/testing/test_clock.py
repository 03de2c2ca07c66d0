"""A clock that jumps; and waits that would hang raise, as no event is to come."""

import asyncio
import signal
from collections.abc import Callable

import pytest

import ssd
from ssd import aio as loops
from ssd.testing import FakeClock, FakeProcesses, SsdCommand, WaitsForEver, dies, ignores
from ssd.testing import clock as clocks

TERM = signal.SIGTERM


def test_events_come_in_the_order_of_their_times() -> None:
    """Actions of the same time run in the order in which they were given."""
    clock, seen = FakeClock(), []
    for name, time in (("c", 2), ("a", 1), ("d", 2), ("b", 1)):
        clock.at(time, lambda name=name: seen.append((clock.now(), name)))
    clock.advance(2)
    assert [(1, "a"), (1, "b"), (2, "c"), (2, "d")] == seen


def test_event_can_plan_another() -> None:
    """An event that is planned by another one runs at its time."""
    clock, seen = FakeClock(), []
    clock.after(1, lambda: clock.after(1, lambda: seen.append(clock.now())))
    clock.advance_to(5)
    assert ([2], 5) == (seen, clock.now())


def test_step_is_one_event() -> None:
    """The clock jumps to the next event and stays there."""
    clock = FakeClock()
    for time in (3, 8):
        clock.at(time, lambda: None)
    clock.step()
    assert (3, 8) == (clock.now(), clock.next_event())
    clock.step()
    assert None is clock.next_event()
    with pytest.raises(LookupError):
        clock.step()


def test_time_jumps_until_something_holds() -> None:
    """All events of that time run, and no later one; the condition may be false at the limit."""
    clock, seen = FakeClock(), []
    for name, time in (("a", 1), ("b", 3), ("c", 3), ("d", 5)):
        clock.at(time, lambda name=name: seen.append(name))
    assert (True, ["a", "b", "c"], 3) == (
        clock.advance_until(lambda: "b" in seen),
        seen,
        clock.now(),
    )
    assert (False, 4) == (clock.advance_until(lambda: "d" in seen, until=4), clock.now())
    assert (False, 5) == (clock.advance_until(lambda: "e" in seen), clock.now())


def test_action_that_is_due_is_called_at_once() -> None:
    """An action for the past or the present time is called at once."""
    clock, seen = FakeClock(start=5), []
    clock.at(5, lambda: seen.append("now"))
    clock.at(1, lambda: seen.append("past"))
    assert ["now", "past"] == seen


def test_time_never_goes_back() -> None:
    """A monotonic clock refuses the past."""
    clock = FakeClock(start=5)
    with pytest.raises(ValueError, match="4 is in the past"):
        clock.advance_to(4)


# Waits that would hang ------------------------------------------------------------------


def test_wait_that_would_hang_raises(fake_processes: FakeProcesses) -> None:
    """If no event is to come, the test fails and names the awaited process."""
    with (
        fake_processes.open(fake_processes.add("calm").identity) as handle,
        pytest.raises(WaitsForEver, match="<calm 101, running>.*: declare one"),
    ):
        fake_processes.wait([handle], None)


def test_stop_that_never_ends_does_not_hang(fake_processes: FakeProcesses) -> None:
    """Time jumps: the schedule would continue for ever, and the record would fill the memory."""
    webd = fake_processes.add("webd", reactions={TERM: ignores()})
    fake_processes.clock.at(100_000, webd.die)  # so that this test ends, whatever is broken
    with pytest.raises(WaitsForEver, match="webd 101, running> still lives after 10000 signals"):
        ssd.stop(ssd.Match(name="webd"), "TERM/5/forever/TERM/5", table=fake_processes)


@pytest.mark.parametrize("by", ["library", "asyncio", "command"])
def test_waits_without_an_end_do_not_hang(
    by: str, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schedule that only waits sends no signals that could be counted."""
    monkeypatch.setattr(clocks, "MAX_IDLE_WAITS", 2_000)  # the real limit takes seconds
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


def test_waits_are_no_end_while_something_is_to_come(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait of more looks than may be idle can still end."""
    monkeypatch.setattr(clocks, "MAX_IDLE_WAITS", 2_000)  # the real limit takes seconds
    webd = fake_processes.add("webd", reactions={TERM: dies(after=12_000)})  # 2400 looks
    ssd.stop(ssd.Match(name="webd"), "TERM/forever/5", table=fake_processes)
    assert ("gone", 12_000) == (webd.state, fake_processes.now())


def test_wait_for_another_than_what_comes_does_not_hang(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that plans itself again would keep it waiting."""
    monkeypatch.setattr(clocks, "MAX_EVENTS", 20_000)  # the real limit takes seconds

    def beat() -> None:
        fake_processes.clock.after(1, beat)

    beat()
    with (
        fake_processes.open(fake_processes.add("calm").identity) as handle,
        pytest.raises(WaitsForEver, match="after 20000 events"),
    ):
        fake_processes.wait([handle], None)

"""A clock that jumps."""

import pytest

from ssd.testing import FakeClock


def test_events_come_in_the_order_of_their_times() -> None:
    """Those of one moment come in the order in which they were planned."""
    clock, seen = FakeClock(), []
    for name, time in (("c", 2), ("a", 1), ("d", 2), ("b", 1)):
        clock.at(time, lambda name=name: seen.append((clock.now(), name)))
    clock.advance(2)
    assert [(1, "a"), (1, "b"), (2, "c"), (2, "d")] == seen


def test_event_can_plan_another() -> None:
    """What is planned on the way comes in its turn."""
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
    """All of that moment happens, and nothing after it; at the end of the time it may not hold."""
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
    """An event of the past or of now is not put off."""
    clock, seen = FakeClock(start=5), []
    clock.at(5, lambda: seen.append("now"))
    clock.at(1, lambda: seen.append("past"))
    assert ["now", "past"] == seen


def test_time_never_goes_back() -> None:
    """A monotonic clock refuses the past."""
    clock = FakeClock(start=5)
    with pytest.raises(ValueError, match="4 is in the past"):
        clock.advance_to(4)

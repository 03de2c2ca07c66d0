"""How often a job may come back."""

from ssd.upstart.respawns import Respawns


def _run(limit: int, interval: float, times: list[float]) -> list[bool]:
    respawns = Respawns()
    return [respawns.is_too_fast(limit, interval, time) for time in times]


def test_one_more_than_the_limit_in_the_window_is_too_fast() -> None:
    """One more than the limit in the window is too fast."""
    assert _run(2, 5, [0.0, 1.0, 2.0]) == [False, False, True]


def test_window_does_not_slide() -> None:
    """The window does not slide."""
    assert _run(2, 5, [0.0, 4.0, 5.0, 6.0, 7.0]) == [False, False, False, False, True]


def test_times_are_not_rounded() -> None:
    """Times are not rounded."""
    assert _run(1, 1, [0.9, 1.8]) == [False, True]


def test_no_limit_is_never_too_fast() -> None:
    """No limit is never too fast."""
    assert not any(_run(0, 5, [0.0] * 50))
    assert not any(_run(3, 0, [0.0] * 50))

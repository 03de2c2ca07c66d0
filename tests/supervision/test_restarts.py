"""The policy of restarts, by its values alone."""

import signal
from typing import Any

import pytest

from ssd.service import Service
from ssd.supervision.restarts import (
    AGAIN,
    LOST,
    OVER,
    History,
    Verdict,
    delay,
    is_normal,
    judge,
)


def policy(**given: Any) -> Any:
    """Return the policy of a declaration, with its defaults."""
    return Service(name="n", respawn=given).respawn


def ends(policy: Any, times: int, every: float = 0.0, status: int | None = 1) -> list[Verdict]:
    """Judge so many ends in a row, one every so many seconds, of a service that never was ready."""
    history = History()
    return [
        judge(policy, history, status, 0.0, every * number, 0.0, "it ended")
        for number in range(times)
    ]


@pytest.mark.parametrize(
    ("when", "status", "expected"),
    [
        ("never", 0, OVER),
        ("never", 1, LOST),
        ("never", -signal.SIGKILL, LOST),
        ("never", None, LOST),
        ("failure", 0, OVER),
        ("failure", 1, AGAIN),
        ("failure", -signal.SIGTERM, AGAIN),
        ("failure", None, AGAIN),  # nobody knows: it may have failed
        ("always", 0, AGAIN),
        ("always", 1, AGAIN),
        ("always", None, AGAIN),
    ],
)
def test_policy_decides_by_the_exit_status(when: str, status: int | None, expected: str) -> None:
    """never, failure and always, for an exit, a signal, and an end that nobody saw."""
    assert expected == ends(policy(when=when), 1, status=status)[0].input


def test_normal_exits_stay_down() -> None:
    """Upstart's ``normal exit`` names statuses and signals."""
    declared = policy(when="always", normal_exit=[0, 7, "TERM"])
    for status in (0, 7, -signal.SIGTERM):
        assert is_normal(declared, status)
        assert OVER == ends(declared, 1, status=status)[0].input
    for other in (15, 1, -signal.SIGKILL, -7, None):
        assert not is_normal(declared, other)


def test_delays_grow_to_their_cap() -> None:
    """The first restart comes at once; then 0.1 seconds, and twice as long each time."""
    assert [0, 0.1, 0.2, 0.4, 0.8] == [delay(policy(), row) for row in range(5)]
    assert [60, 60] == [delay(policy(), row) for row in (20, 10**6)]


def test_declared_delay_is_the_least() -> None:
    """``delay`` is for every restart; a longer one than the cap is meant."""
    declared = policy(delay=5, backoff=1)
    assert [5, 5, 5, 5, 8] == [delay(declared, row) for row in range(5)]
    assert [90, 90] == [delay(policy(delay=90), row) for row in (0, 30)]


def test_backoff_of_zero_never_grows() -> None:
    """Then ``delay`` alone counts."""
    assert [0, 0, 0] == [delay(policy(backoff=0), row) for row in (0, 1, 9)]


def test_crash_loop_starts_at_most_ten_times_in_ten_seconds() -> None:
    """By default: a service that fails at once is started, and comes back ever more slowly."""
    now, starts, history = 0.0, 1, History()
    while True:
        now += judge(policy(when="always"), history, 1, 0.0, now, 0.0, "").seconds
        if now > 10:
            break
        starts += 1
    assert 8 == starts


def test_jitter_adds_up_to_a_tenth() -> None:
    """A thousand services that fail together do not come back together."""
    declared = policy(when="always", delay=10)
    longest = judge(declared, History(), 1, 0.0, 0.0, 1.0, "")
    assert 11.0 == pytest.approx(longest.seconds)


def test_time_up_begins_a_new_row() -> None:
    """``reset`` seconds after it was ready, earlier failures are forgotten."""
    declared = policy(when="always", limit=0)
    history = History(row=9)
    assert 0 < judge(declared, history, 1, 9.9, 100.0, 0.0, "").seconds
    assert 0 == judge(declared, history, 1, 10.0, 200.0, 0.0, "").seconds


def test_more_than_limit_in_interval_is_given_up() -> None:
    """init(5), respawn limit: ten restarts in five seconds are allowed, one more is not."""
    declared = policy(when="always", backoff=0)
    verdicts = ends(declared, 12)
    assert [AGAIN] * 10 == [each.input for each in verdicts[:10]]
    assert LOST == verdicts[10].input
    assert "it ended; more than 10 restarts in 5 seconds" == verdicts[10].reason


def test_window_begins_with_a_restart_and_does_not_slide() -> None:
    """As in Upstart: after the interval a new window begins, with a count of its own."""
    declared = policy(when="always", backoff=0, limit=2, interval=5)
    assert [AGAIN] * 9 == [each.input for each in ends(declared, 9, every=2.6)]
    assert LOST == ends(declared, 3, every=2.4)[2].input


def test_limit_of_zero_never_gives_up() -> None:
    """Upstart's ``respawn limit unlimited``."""
    declared = policy(when="always", backoff=0, limit=0)
    assert {AGAIN} == {each.input for each in ends(declared, 1000)}


def test_verdicts_are_equal_by_their_values() -> None:
    """And show them."""
    assert Verdict(AGAIN, 1.0) == Verdict(AGAIN, 1.0) != Verdict(AGAIN, 2.0)
    assert Verdict(AGAIN) != "again"
    assert "Verdict('lost', 0.0, 'why')" == repr(Verdict(LOST, reason="why"))

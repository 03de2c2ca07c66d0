"""``start on`` and ``stop on`` at work."""

import pytest

from ssd.service.sources.upstart.conditions import parse_condition
from ssd.upstart.events.conditions import Matcher
from ssd.upstart.events.emissions import Emission


def _sees(text: str, *events: str, **variables: str) -> list[bool]:
    matcher = Matcher(parse_condition(text))
    return [matcher.see(_emission(each), variables) for each in events]


def _emission(words: str) -> Emission:
    name, *pairs = words.split(" ")
    return Emission(name, pairs)


@pytest.mark.parametrize(
    ("text", "event", "answer"),
    [
        ("go", "go", True),
        ("go", "gone", False),
        ("go A=1", "go A=1 B=2", True),
        ("go A=1", "go B=1", False),
        ("go A=[13] B=x*", "go A=3 B=xyz", True),
        ("go A!=1", "go A=3", True),
        ("go A!=1", "go A=1", False),
        ("go A!=1", "go B=1", False),
        ("go C=", "go C=", True),
        ("go C=", "go A=1", False),
        ("go 1 2", "go A=1 B=2", True),
        ("go 1 2", "go A=1", False),
        ("go 2", "go A=1 B=2", False),
        ("go A=$W", "go A=5", True),
        ("go A=$NONE", "go A=5", False),
        ("go A=${", "go A=5", False),
        ("runlevel [2345]", "runlevel RUNLEVEL=2 PREVLEVEL=N", True),
        ("runlevel [!2345]", "runlevel RUNLEVEL=2 PREVLEVEL=N", False),
    ],
)
def test_event_meets_a_condition(text: str, event: str, answer: bool) -> None:
    """An event meets a condition."""
    assert _sees(text, event, W="5") == [answer]


def test_or_needs_one_of_them() -> None:
    """Or needs one of them."""
    assert _sees("a or b", "b") == [True]


def test_and_needs_both_in_any_order() -> None:
    """And needs both in any order."""
    assert _sees("a and b", "b", "b", "a") == [False, False, True]


def test_parentheses_join_first() -> None:
    """Parentheses join first."""
    assert _sees("a and (b or c)", "a", "c") == [False, True]
    assert _sees("(a and b) or c", "c") == [True]


def test_event_is_blocked_until_the_reset() -> None:
    """An event is blocked until the reset."""
    matcher = Matcher(parse_condition("a and b"))
    first, second = _emission("a K=1 L=2"), _emission("b K=3")
    matcher.see(first, {})
    assert first.blockers == 1
    assert matcher.see(second, {})
    assert matcher.events() == [first, second]
    assert matcher.variables("BY") == {"K": "3", "L": "2", "BY": "a b"}
    matcher.reset()
    assert (first.blockers, second.blockers) == (0, 0)
    assert not matcher.see(second, {})


def test_half_an_and_has_no_part_in_it() -> None:
    """Half an and has no part in it."""
    matcher = Matcher(parse_condition("(a and b) or c"))
    matcher.see(_emission("a"), {})
    last = _emission("c")
    assert matcher.see(last, {})
    assert matcher.events() == [last]


def test_same_event_twice_blocks_only_once() -> None:
    """The same event twice blocks only once."""
    matcher = Matcher(parse_condition("a and b"))
    first, again = _emission("a"), _emission("a")
    matcher.see(first, {})
    matcher.see(again, {})
    assert (first.blockers, again.blockers) == (1, 0)


def test_long_condition_needs_no_deep_stack() -> None:
    """A long condition needs no deep stack."""
    text = " or ".join(f"e{number}" for number in range(5000))
    assert _sees(text, "e4999", "e0") == [True, True]

"""Which services wait for which, by values alone."""

from typing import Any

import pytest

from ssd.service import Service
from ssd.supervision import Circle, MissingRequirement
from ssd.supervision.order import Order


def order(**declared: dict[str, Any]) -> Order:
    """Return the order of services: name=their fields."""
    return Order(Service(name=name, executable="/bin/x", **f) for name, f in declared.items())


def test_requirements_and_wishes_are_apart() -> None:
    """``requires`` and Required-Start are requirements; ``after`` and Should-Start only order."""
    made = order(
        web={
            "requires": ["db"],
            "required_start": ["net"],
            "after": ["log"],
            "should_start": ["x"],
        },
        db={},
        net={},
        log={},
        x={},
    )
    assert ("db", "net") == made.required["web"]
    assert ("log", "x") == made.wanted["web"]
    assert ["db", "net", "log", "x"] == made.needs("web")
    assert [] == made.needs("db")
    assert ["web"] == made.dependents["db"]


def test_facilities_stand_for_their_services() -> None:
    """LSB, Provides; a service's own name is always meant by it."""
    made = order(
        web={"requires": ["database"], "after": ["web", "cache"]},
        one={"provides": ["database", "db"]},
        two={"provides": ["database"]},
        cache={"provides": ["cache"]},
    )
    assert ("one", "two") == made.required["web"]
    assert ("cache",) == made.wanted["web"]


def test_unknown_words_are_left_out_of_lsb_headers() -> None:
    """$local_fs, and another init's services; ``requires`` means one of ours."""
    made = order(web={"required_start": ["$local_fs", "mysql"], "after": ["mysql"]})
    assert [] == made.needs("web")
    with pytest.raises(MissingRequirement, match="web requires mysql, which is not declared"):
        order(web={"requires": ["mysql"]})


def test_closure_has_all_requirements() -> None:
    """Directly or not; wishes are no part of it."""
    made = order(a={"requires": ["b"]}, b={"requires": ["c"], "after": ["d"]}, c={}, d={})
    assert {"a", "b", "c"} == made.closure(["a"])
    assert {"d"} == made.closure(["d"])


def test_circle_is_named() -> None:
    """The error shows the way round, whatever else there is."""
    with pytest.raises(Circle) as caught:
        order(z={"after": ["a"]}, a={"requires": ["b"]}, b={"after": ["c"]}, c={"requires": ["a"]})
    assert ["a", "b", "c", "a"] == caught.value.names
    assert "services wait for each other: a -> b -> c -> a" == str(caught.value)


def test_way_without_a_circle_is_followed_once() -> None:
    """A diamond, and a chain that is longer than Python's stack."""
    order(top={"after": ["l", "r"]}, l={"after": ["end"]}, r={"after": ["end"]}, end={})
    length = 3000
    chain = {f"s{n}": {"after": [f"s{n + 1}"]} for n in range(length)}
    made = order(**chain, **{f"s{length}": {}})
    assert [f"s{length}"] == made.needs(f"s{length - 1}")


def test_service_does_not_wait_for_itself() -> None:
    """Its own name, or a facility of its own, is left out."""
    made = order(web={"after": ["web", "www"], "provides": ["www"]})
    assert [] == made.needs("web")

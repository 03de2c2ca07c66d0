"""Resource limits as texts."""

import resource

import pytest

from ssd.surroundings import limits

PAIRS = {
    "10": (10, 10),
    "10:20": (10, 20),
    "0:unlimited": (0, resource.RLIM_INFINITY),
    "unlimited": (resource.RLIM_INFINITY,) * 2,
    str(2**63 - 1): (2**63 - 1,) * 2,
}


def test_texts_are_pairs_of_limits() -> None:
    """One number is both."""
    assert PAIRS == {text: limits.pair(text) for text in PAIRS}


@pytest.mark.parametrize("text", ["", "-1", "1:", ":1", "20:10", "unlimited:1", "x", "1 ", "²"])
def test_other_texts_are_refused(text: str) -> None:
    """Also a soft limit above the hard one, and more than Python passes on."""
    with pytest.raises(ValueError, match="must"):
        limits.pair(text)
    with pytest.raises(ValueError, match="must"):
        limits.pair(str(2**63))


def test_names_are_those_of_the_module_resource() -> None:
    """In lower case, as prlimit(1) has them."""
    assert resource.RLIMIT_NOFILE == limits.number("nofile")
    assert "core" == limits.name_of(resource.RLIMIT_CORE)
    assert "999" == limits.name_of(999)

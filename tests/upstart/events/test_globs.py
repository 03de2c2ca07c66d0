"""Globs as fnmatch(3) has them."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.upstart.events.globs import matches


@pytest.mark.parametrize(
    ("text", "pattern", "answer"),
    [
        ("2", "[2345]", True),
        ("0", "[2345]", False),
        ("0", "[!2345]", True),
        ("0", "[^2345]", True),
        ("2", "[^2345]", False),
        ("", "*", True),
        ("a/b", "a*b", True),
        ("a*", r"a\*", True),
        ("ab", r"a\*", False),
        ("a?", r"a\?", True),
        ("x", "?", True),
        ("A", "a", False),
        ("", "", True),
    ],
)
def test_text_matches_a_glob(text: str, pattern: str, answer: bool) -> None:
    """A text matches a glob."""
    assert matches(text, pattern) is answer


@given(st.text(alphabet="ab*?\\!", max_size=6), st.text(alphabet="ab*?\\!", max_size=6))
def test_answer_is_that_of_the_c_library(text: str, pattern: str) -> None:
    """The answer is that of the c library."""
    if pattern.endswith("\\") and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        return  # a backslash at the end: C libraries differ
    theirs = ctypes.CDLL(None).fnmatch(pattern.encode(), text.encode(), 0) == 0
    assert matches(text, pattern) is theirs

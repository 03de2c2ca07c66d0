"""Signals by name and number."""

import signal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kit.libc import strtol

from ssd.signal_names import signal_name
from ssd.signals import SIGNAL_NAMES, signal_number, whole_number


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_signal_name_is_this_systems_number(name: str) -> None:
    """The names are the original's, the numbers the system's."""
    number = getattr(signal, f"SIG{name}")
    assert (number, f"SIG{name}") == (signal_number(name), signal_name(number))


def test_signal_that_the_original_does_not_name_is_a_number() -> None:
    """dpkg has no name for SIGWINCH."""
    number = int(signal.SIGWINCH)
    assert (None, str(number)) == (signal_number("WINCH"), signal_name(number))


numbers = st.text(st.sampled_from(" \t\n\v\f\r+-0123456789abxXoO_.\u0665\udcff"), max_size=24)


@given(numbers)
@example("00000000000000000000000000000000005")
@example("-0")
@example("-1")
@example("2147483647")
@example("2147483648")
@example("9" * 5000)
def test_whole_number_is_what_strtol_reads(text: str) -> None:
    """``whole_number`` and the C library agree on every text."""
    assert strtol(text, 10) == whole_number(text)

"""Numbers and signals as the C library reads them."""

import signal

import pytest

from ssd.service.sources.upstart import numbers

SIGNED = {
    "0": 0, "12": 12, "-5": -5, "+7": 7, " 3": 3, "007": 7,
    "": None, "3 ": None, "0x10": None, "1_0": None, "٣": None, "-": None, "--1": None,
    "9223372036854775807": 2**63 - 1, "9223372036854775808": None, "9" * 5000: None,
}  # fmt: skip


@pytest.mark.parametrize("text", SIGNED)
def test_signed_number_is_that_of_strtol(text: str) -> None:
    """Nothing may follow it, and it must fit in a long."""
    assert SIGNED[text] == numbers.signed(text)


def test_unsigned_number_wraps_like_strtoul() -> None:
    """So that -1 is the greatest: no limit."""
    assert numbers.ULONG_MAX == numbers.unsigned("-1")
    assert numbers.ULONG_MAX == numbers.unsigned("18446744073709551615")
    assert numbers.unsigned("18446744073709551616") is None
    assert 0o27 == numbers.unsigned("027", 8)
    assert numbers.unsigned("8", 8) is None


@pytest.mark.parametrize(
    "text, number",
    [
        ("TERM", signal.SIGTERM),
        ("SIGTERM", signal.SIGTERM),
        ("WINCH", signal.SIGWINCH),
        ("PWR", signal.SIGPWR),
        ("15", 15),
        ("64", 64),
        ("99", 99),
        ("term", None),
        ("SIGSIGTERM", None),
        ("SNARF", None),
        ("2147483648", None),
        ("-1", None),
    ],
)
def test_signal_has_a_name_or_a_number(text: str, number: int | None) -> None:
    """Names are in capitals, with SIG or without; a number is not checked any further."""
    assert number == numbers.signal(text)


def test_names_of_signals_exist_here() -> None:
    """All of them on Linux; STKFLT is not known to every Python."""
    unknown = {name for name in numbers.NAMES if numbers.signal(name) is None}
    assert set() == unknown - {"STKFLT"}

"""Option values, compared with the C library's strtol(3) and atoi(3)."""

import os
import platform

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kit.libc import atoi, strtol

from ssd.cli import values
from ssd.cli.grammar import Unusable, Usage

GLIBC = platform.libc_ver()[0] == "glibc"
numbers = st.text(st.sampled_from(" \t\n\v\f\r+-0123456789abfxXoObB_.\u0665\udcff"), max_size=24)


@given(numbers)
@example("0x")
@example("0x1f")
@example("0X1F")
@example("0x0x1f")
@example("00o17")
@example("0o17")
@example("0b1")
@example("018")
@example("0x1_0")
@example("-0")
@example(" 022")
@example("022 ")
@example("0x7fffffff")
@example("0x80000000")
@example("0" * 30 + "7")
@example("9" * 5000)
def test_number_of_any_base_is_what_strtol_reads(text: str) -> None:
    """``any_base`` and strtol(3) with base 0 agree on every text."""
    assert strtol(text, 0) == values.any_base(text)


@given(numbers)
@example("10")
@example("-10")
@example("+5x")
@example("- 5")
@example("")
@example("2147483648")
@example("-2147483649")
@example("9223372036854775807")
@example("9223372036854775808")
@example("-9223372036854775808")
@example("-9223372036854775809")
@example("0" * 30 + "5")
@example("9" * 5000)
@example("-" + "9" * 5000)
def test_leading_number_is_what_atoi_reads(text: str) -> None:
    """``leading_number`` and atoi(3) agree on every text, with any number of digits.

    Beyond a long C defines nothing, and other libraries than glibc do something else.
    """
    number = values.leading_number(text)
    assert atoi(text) == number or (number in (0, -1) and not GLIBC)


# text -> policy and priority
CPU = {
    "other": ("other", 0),
    "other:0": ("other", 0),
    "other:99": ("other", 0),  # it has one priority only, so none is asked for
    "fifo:1": ("fifo", 1),
    "fifo:99": ("fifo", 99),
    "rr:50": ("rr", 50),
    "rr:+5": ("rr", 5),
}
IO = {
    "best-effort": ("best-effort", 4),
    "best-effort:0": ("best-effort", 0),
    "best-effort:7": ("best-effort", 7),
    "real-time": ("real-time", 4),
    "real-time:1": ("real-time", 1),
    "idle": ("idle", 7),
    "idle:0": ("idle", 7),
}
BAD_CPU = {
    "batch": Usage,
    "": Usage,
    "fifo": Usage,  # its priorities begin at 1
    "fifo:0": Usage,
    "fifo:100": Usage,
    "rr:100": Usage,
    "OTHER": Usage,
    "fifo:x": Unusable,
    "fifo:": Unusable,
    "fifo:-1": Unusable,
    "fifo:1:2": Unusable,
    "bogus:x": Unusable,
}
BAD_IO = {
    "none": Usage,
    "": Usage,
    "real-time:8": Usage,
    "best-effort:99": Usage,
    "best-effort:x": Unusable,
    "best-effort:": Unusable,
    "best-effort:-1": Unusable,
}


@pytest.mark.parametrize("text", CPU)
def test_process_scheduler_is_a_policy_and_a_priority(text: str) -> None:
    """policy[:priority], checked against the range of the kernel."""
    assert CPU[text] == values.cpu_scheduling(text)


@pytest.mark.parametrize("text", IO)
def test_io_scheduler_is_a_class_and_a_priority(text: str) -> None:
    """class[:priority]; the default is 4, and 7 for idle."""
    assert IO[text] == values.io_scheduling(text)


@pytest.mark.parametrize("text", BAD_CPU)
def test_bad_process_scheduler_is_refused(text: str) -> None:
    """A priority that is not a number has status 2, one out of range 3, as in the original."""
    with pytest.raises(BAD_CPU[text]):
        values.cpu_scheduling(text)


@pytest.mark.parametrize("text", BAD_IO)
def test_bad_io_scheduler_is_refused(text: str) -> None:
    """A priority that is not a number has status 2, one out of range 3, as in the original."""
    with pytest.raises(BAD_IO[text]):
        values.io_scheduling(text)


@pytest.mark.parametrize(
    ("policy", "number"), [("other", os.SCHED_OTHER), ("fifo", os.SCHED_FIFO), ("rr", os.SCHED_RR)]
)
def test_range_of_priorities_is_the_systems(policy: str, number: int) -> None:
    """It is what sched_get_priority_min(2) and sched_get_priority_max(2) return."""
    from ssd.starting.rare.scheduling import priority_range

    expected = os.sched_get_priority_min(number), os.sched_get_priority_max(number)
    assert expected == priority_range(policy)


# umask as given -> as set; None is an error
MASKS = {
    "022": 0o022,
    "18": 0o022,
    "0x12": 0o022,
    "0": 0,
    "0777": 0o777,
    "01777": 0o777,  # umask(2) keeps the lower nine bits
    "-1": None,
    "022x": None,
    "": None,
    "u=rwx": None,
}


@pytest.mark.parametrize("text", MASKS)
def test_umask_may_be_octal_decimal_or_hexadecimal(text: str) -> None:
    """The prefix decides, as in the original."""
    if MASKS[text] is None:
        with pytest.raises(Usage):
            values.convert({"umask": text})
    else:
        assert {"umask": MASKS[text]} == values.convert({"umask": text})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"procsched": "fifo:x", "iosched": "x", "umask": "x"}, "procsched"),
        ({"iosched": "x", "umask": "x"}, "IO scheduler"),
        ({"umask": "x", "nicelevel": "x"}, "umask"),
    ],
)
def test_first_bad_value_in_the_originals_order_is_named(
    given: dict[str, str | None], complaint: str
) -> None:
    """--procsched, --iosched, --umask, --nicelevel, whatever the order on the line."""
    with pytest.raises((Usage, Unusable)) as caught:
        values.convert(given)
    assert complaint in str(caught.value)

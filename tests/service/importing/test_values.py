"""The values of supervisord's options."""

from collections.abc import Callable

import pytest

from ssd.service.importing import values


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.flag, "On", True), (values.flag, "0", False), (values.restart, "TRUE", "always"),
        (values.restart, "Unexpected", "unexpected"), (values.restart, "off", "never"),
        (values.integer, " 7", 7), (values.size, "5MB", 5 << 20), (values.size, "1 kb", 1024),
        (values.size, "7", 7), (values.exit_statuses, "0, 2", [0, 2]),
        (values.exit_statuses, "", []),
        (values.signal, "sigterm", "TERM"), (values.signal, "9", "KILL"),
        (values.signal, "WINCH", "-28"), (values.octal, "77", "077"), (values.octal, "0", "000"),
        (values.words, "a 'b c' d\\ e #f", ["a", "b c", "d e", "#f"]),
        (values.table, "A=\"x,y\",B='z w', C=/usr/bin:/x,", {"A": "x,y", "B": "z w",
                                                          "C": "/usr/bin:/x"}),
        (values.table, "", {}), (values.names, "a, b", ["a", "b"]), (values.names, "", []),
    ],
)  # fmt: skip
def test_value_is_read(read: Callable[[str], object], text: str, value: object) -> None:
    """As supervisord reads it."""
    assert value == read(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.flag, "maybe"), (values.restart, "often"), (values.integer, "x"),
        (values.size, "5M"), (values.exit_statuses, "256"), (values.exit_statuses, "a"),
        (values.signal, "NOPE"), (values.signal, "0"), (values.octal, "9"), (values.words, "a 'b"),
        (values.words, ""), (values.table, "A"), (values.table, "A=\"x"), (values.table, "A=1,B"),
    ],
)  # fmt: skip
def test_bad_value_is_rejected(read: Callable[[str], object], text: str) -> None:
    """With words that say what it must be."""
    with pytest.raises(ValueError, match=r"must|cannot|has"):
        read(text)

"""The values of fields as a shell file writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.service.errors import BadValue
from ssd.service.kinds import check
from ssd.service.sources.shell_values import from_text, to_text

from ..strategies import OF_KIND, value_of


@given(st.sampled_from(sorted(OF_KIND)).flatmap(lambda k: st.tuples(st.just(k), value_of(k))))
def test_from_text_reverses_to_text(given: tuple[str, object]) -> None:
    """For every value in its normal form."""
    kind, value = given[0], check(*given)
    assert value == check(kind, from_text(kind, to_text(kind, value)))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("flag", "YES", True), ("flag", "0", False), ("oom", "never", "never"), ("oom", "-5", -5),
        ("words", "a 'b  c'", ["a", "b  c"]), ("seconds", "1.5", 1.5), ("seconds", "3", 3),
        ("exits", "0 TERM", [0, "TERM"]), ("limits", "nofile=64", {"nofile": "64"}),
        ("directories", "/run/x 'path=/y mode=0700'",
         [{"path": "/run/x"}, {"path": "/y", "mode": "0700"}]),
        ("readiness", "kind=exec timeout=5", {"kind": "exec", "timeout": 5}),
    ],
)  # fmt: skip
def test_from_text_reads_each_form(kind: str, text: str, value: object) -> None:
    """The check of the kind comes after it."""
    assert value == from_text(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("flag", "maybe"), ("count", "x"), ("seconds", "soon"), ("table", "A"), ("words", "'a")],
)
def test_from_text_rejects_another_form(kind: str, text: str) -> None:
    """The error says what the text must be."""
    with pytest.raises(BadValue):
        from_text(kind, text)

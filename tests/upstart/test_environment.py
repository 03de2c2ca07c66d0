"""Variables of jobs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.upstart.environment import check, declared, expand, table
from ssd.upstart.errors import BadEnvironment, BadExpansion, UnknownParameter

KNOWN = {"A": "1", "NAME": "A", "E": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$A", "1"),
        ("x$A.y", "x1.y"),
        ("${A}b", "1b"),
        ("${B:-none}", "none"),
        ("${E:-none}", "none"),
        ("${E-none}", ""),
        ("${A:+set}", "set"),
        ("${E:+set}", ""),
        ("${E+set}", "set"),
        ("${B+set}", ""),
        ("${B:-$A}", "1"),
        ("${B:-${C:-deep}}", "deep"),
        ("${$NAME}", "1"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$1", "$1"),
    ],
)
def test_text_is_expanded(text: str, expanded: str) -> None:
    """A text is expanded."""
    assert expand(text, KNOWN) == expanded


def test_unknown_variable_is_named() -> None:
    """An unknown variable is named."""
    with pytest.raises(UnknownParameter, match="^Unknown parameter: NONE$"):
        expand("x$NONE", KNOWN)


@pytest.mark.parametrize(
    "text", ["${", "${A", "${}", "${A*}", "${:-x}", "${B:-" * 9999 + "}" * 9999, "${$" * 9999]
)
def test_is_no_expansion_is_refused(text: str) -> None:
    """What is no expansion is refused."""
    with pytest.raises(BadExpansion):
        expand(text, KNOWN)


@given(st.text(alphabet="$A{}:-+ x"))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    """Any text is expanded or refused."""
    try:
        assert isinstance(expand(text, KNOWN), str)
    except (UnknownParameter, BadExpansion) as error:
        assert str(error)


def test_pairs_make_a_table_in_which_the_last_counts() -> None:
    """Pairs make a table in which the last counts."""
    assert table(["A=1", "B=x=y", "A=2", "=z"]) == {"A": "2", "B": "x=y", "": "z"}


def test_variable_without_an_equals_sign_is_refused() -> None:
    """A variable without an equals sign is refused."""
    check(["A=1", "=x"])
    with pytest.raises(BadEnvironment):
        check(["A=1", "B"])


def test_bare_name_is_taken_from_the_supervisors_own() -> None:
    """A bare name is taken from the supervisor's own."""
    assert declared(["A=1", "HOME", "NONE", "B=$A"], {"HOME": "/root"}) == {
        "A": "1", "HOME": "/root", "B": "$A",
    }  # fmt: skip

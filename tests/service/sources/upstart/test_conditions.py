"""Conditions of ``start on`` and ``stop on``."""

import pytest

from ssd.service.sources.upstart.conditions import And, Argument, Event, Or, parse_condition
from ssd.service.sources.upstart.faults import JobFault

A, B, C = Event("a"), Event("b"), Event("c")
TREES = {
    "a": A,
    "a # comment\n": A,
    "a or b": Or(A, B),
    "a or b or c": Or(Or(A, B), C),
    "a and b or c": Or(And(A, B), C),
    "a or b and c": And(Or(A, B), C),
    "a or (b and c)": Or(A, And(B, C)),
    "((a))": A,
    "(a)or(b)": Or(A, B),
    "(a\n  or b # comment\n  or c)": Or(Or(A, B), C),
    "(a or\nb)\n": Or(A, B),
    "a \\\n or b": Or(A, B),
    "a 'or' b": Event("a", [Argument("", "or"), Argument("", "b")]),
    "'and'": Event("and"),
    "runlevel [!2345]": Event("runlevel", [Argument("", "[!2345]")]),
    "started JOB=x I!=lo": Event(
        "started", [Argument("JOB", "x"), Argument("I", "lo", negated=True)]
    ),
    "e A=b=c": Event("e", [Argument("A", "b=c")]),
    'e A="x y"': Event("e", [Argument("A", "x y")]),
    "e x A=": Event("e", [Argument("", "x"), Argument("A", "")]),
    "e a!b": Event("e", [Argument("", "a!b")]),
}


@pytest.mark.parametrize("text", TREES)
def test_condition_is_a_tree(text: str) -> None:
    """And and or bind equally; only parentheses group."""
    assert TREES[text] == parse_condition(text)


@pytest.mark.parametrize("text", TREES)
def test_source_of_a_condition_reads_back(text: str) -> None:
    """It quotes what needs it."""
    condition = parse_condition(text)
    assert condition == parse_condition(condition.source())


SHOWN = {
    "(a\n or b\n or c D=1)": ("((a or b) or c D=1)", "a or b or c D=1"),
    "started b or (x FOO=1 and y)": (
        "(started b or (x FOO=1 and y))",
        "started b or (x FOO=1 and y)",
    ),
    "halt": ("halt", "halt"),
    "(a or b) and (c or d)": ("((a or b) and (c or d))", "a or b and (c or d)"),
    'e A="x y"': ("e A=x y", 'e "A=x y"'),
    "e A!=b": ("e A!=b", "e A!=b"),
}


@pytest.mark.parametrize("text", SHOWN)
def test_condition_is_written_like_show_config(text: str) -> None:
    """All parentheses and no quotes; its source has quotes and few parentheses."""
    condition = parse_condition(text)
    assert SHOWN[text] == (str(condition), condition.source())


FAULTS = {
    "": ("Expected token", 1),
    "# comment": ("Expected token", 1),
    "or a": ("Expected event", 1),
    "a or": ("Expected event", 1),
    "a or or b": ("Expected event", 1),
    "()": ("Expected event", 1),
    "(a or)": ("Expected event", 1),
    "(a) b": ("Expected operator", 1),
    "(a) (b)": ("Expected operator", 1),
    "a (b)": ("Expected operator", 1),
    "(a": ("Mismatched parentheses", 1),
    "(a\nb\n": ("Mismatched parentheses", 3),
    "a)": ("Mismatched parentheses", 1),
    "(a))": ("Mismatched parentheses", 1),
    "a K=1 x": ("Expected variable name before value", 1),
    "(a\n\nor b)": ("Expected token", 2),
    "(a\nor)": ("Expected event", 2),
    "a\nb": ("Unexpected token", 2),
    'a "b': ("Unterminated quoted string", 1),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_of_conditions_are_those_of_upstart(text: str) -> None:
    """An empty line within parentheses is one of them."""
    with pytest.raises(JobFault) as caught:
        parse_condition(text)
    assert FAULTS[text] == (caught.value.reason, caught.value.line)


def test_events_come_from_left_to_right() -> None:
    """Each as often as it is named."""
    condition = parse_condition("a or (b X=1 and (c or a))")
    assert ["a", "b", "c", "a"] == [event.name for event in condition.events()]


def test_conditions_may_nest_as_deep_as_they_like() -> None:
    """No recursion limit of the interpreter is met."""
    many = parse_condition(" or ".join(["a"] * 5000))
    deep = parse_condition("(" * 5000 + "a" + ")" * 5000)
    right = parse_condition("a and (" * 5000 + "a" + ")" * 5000)
    assert 5000 == sum(1 for _ in many.events())
    assert "a" == str(deep)
    assert right == parse_condition(right.source())


def test_equal_conditions_are_one_key() -> None:
    """A set of conditions has each once; another kind of value equals none."""
    assert 1 == len({parse_condition("a or b"), parse_condition("(a or b)")})
    assert parse_condition("a or b") != parse_condition("a and b")
    assert parse_condition("a") != "a"
    assert Argument("", "a") != "a"
    assert 1 == len({Argument("A", "b"), Argument.read("A=b")})


def test_conditions_are_shown_by_what_they_say() -> None:
    """In the messages of tests and debuggers."""
    assert "<Condition (a or b)>" == repr(parse_condition("a or b"))
    assert "Argument('A', 'b', True)" == repr(Argument.read("A!=b"))

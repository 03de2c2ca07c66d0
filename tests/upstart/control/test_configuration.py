"""What is declared of a job, for show-config and check-config."""

from typing import Any

import pytest

from ssd.service.sources.upstart import parse
from ssd.upstart.control.configuration import gather

from .conftest import Ask


def gathered(text: str) -> dict[str, Any]:
    """Return what is gathered of a file."""
    return gather(parse(f"{text}\nexec true", "foo"))


@pytest.mark.parametrize(
    ("text", "shown", "words"),
    [
        ("a", "a", [["a"]]),
        ("started b X=1 Y!=2", "started b X=1 Y!=2", [["started", "b", "X=1", "Y!=2"]]),
        ("a and b", "(a and b)", [["a"], ["b"], ["/AND"]]),
        (
            "(a\n or b\n or c D=1)", "((a or b) or c D=1)",
            [["a"], ["b"], ["/OR"], ["c", "D=1"], ["/OR"]],
        ),
        (
            "a or (x F=1 and y)", "(a or (x F=1 and y))",
            [["a"], ["x", "F=1"], ["y"], ["/AND"], ["/OR"]],
        ),
    ],
)  # fmt: skip
def test_condition_has_a_text_and_a_postfix_form(text: str, shown: str, words: list[Any]) -> None:
    """An operator follows what it joins; it begins with a slash, as no event of a program does."""
    start = gathered(f"start on {text}")
    assert (shown, words, None, []) == tuple(
        start[key] for key in ("start_on", "start_words", "stop_on", "stop_words")
    )
    stop = gathered(f"stop on {text}")
    assert (None, [], shown, words) == tuple(
        stop[key] for key in ("start_on", "start_words", "stop_on", "stop_words")
    )


def test_deep_condition_has_its_words() -> None:
    """Whoever has written such a file."""
    depth = 5000
    found = gathered("start on " + "(a and " * depth + "a" + ")" * depth)
    assert 2 * depth + 1 == len(found["start_words"])
    assert [["a"], ["/AND"]] == [found["start_words"][0], found["start_words"][-1]]


def test_definition_that_counts_is_told(asked: Ask) -> None:
    """While an instance lives, that is its own."""
    world = asked(foo="emits e f\nexec sleep 300", bar="start on go\nexec true")
    assert [("foo", ["e", "f"]), ("bar", [])] == [
        (each["name"], each["emits"]) for each in world.ask("config")["jobs"]
    ]
    world.ask("start", "foo")
    world.define("foo", "exec sleep 301\nstop on halt")
    (told,) = world.ask("config", "foo")["jobs"]
    assert (None, ["e", "f"]) == (told["stop_on"], told["emits"])
    world.ask("stop", "foo")
    (told,) = world.ask("config", "foo")["jobs"]
    assert ("halt", []) == (told["stop_on"], told["emits"])
    assert "Unknown job: nope" == world.refused("config", "nope")

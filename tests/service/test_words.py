"""Words as a shell quotes them, held against a real one."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.words import join, split

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
# Quoting alone: what would be expanded, or end a command, is left out.
QUOTED = st.text(st.sampled_from("ab '\"\\\t"), max_size=12)


@given(WORDS)
def test_what_is_joined_is_split_again(words: list[str]) -> None:
    """Whatever is in the words."""
    assert words == split(join(words))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))))
def test_shell_splits_what_is_joined(words: list[str]) -> None:
    """Into the same words."""
    script = f"printf '%s\\0' {join(words)}" if words else ":"
    done = subprocess.run(["sh", "-c", script], capture_output=True)
    assert [word.encode() for word in words] == done.stdout.split(b"\0")[:-1]


@settings(max_examples=150, deadline=None)
@given(QUOTED)
def test_shell_splits_in_the_same_way(text: str) -> None:
    """Quotes and backslashes; a quote that is not closed is an error there, too."""
    line = text + " ."  # a backslash at the end would take the line's end
    script = f"set -- {line}\n[ $# = 0 ] || printf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True)
    try:
        wanted = split(line)
    except ValueError:
        assert b"nterminated quote" in done.stderr
    else:
        assert [word.encode() for word in wanted] == done.stdout.split(b"\0")[:-1]


def test_quote_that_is_not_closed_is_an_error() -> None:
    """Of either kind."""
    for text in ("'a", 'a "b', 'a"\\"'):
        with pytest.raises(ValueError, match="not closed"):
            split(text)


def test_line_that_goes_on_is_one_line() -> None:
    """Outside quotes and in double ones."""
    assert ["ab", "cd", "e\\\nf"] == split("a\\\nb \\\n\"c\\\nd\" 'e\\\nf'")

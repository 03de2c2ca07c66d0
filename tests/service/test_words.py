"""Words as a shell quotes them, compared with a real shell."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.words import join, split

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
# Quoting alone: no characters that would be expanded or end a command.
QUOTED = st.text(st.sampled_from("ab '\"\\\t"), max_size=12)


@given(WORDS)
def test_split_reverses_join(words: list[str]) -> None:
    """With any characters in the words."""
    assert words == split(join(words))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))))
def test_shell_splits_joined_words(words: list[str]) -> None:
    """Into the same words."""
    script = f"printf '%s\\0' {join(words)}" if words else ":"
    done = subprocess.run(["sh", "-c", script], capture_output=True)
    assert [word.encode() for word in words] == done.stdout.split(b"\0")[:-1]


@settings(max_examples=150, deadline=None)
@given(QUOTED)
def test_split_agrees_with_the_shell(text: str) -> None:
    """Quotes and backslashes; an unclosed quote is an error in both."""
    line = text + " ."  # a backslash at the end would take the line's end
    script = f"set -- {line}\n[ $# = 0 ] || printf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True)
    try:
        wanted = split(line)
    except ValueError:
        assert b"nterminated quote" in done.stderr
    else:
        assert [word.encode() for word in wanted] == done.stdout.split(b"\0")[:-1]


def test_unclosed_quote_is_an_error() -> None:
    """Of either kind."""
    for text in ("'a", 'a "b', 'a"\\"'):
        with pytest.raises(ValueError, match="not closed"):
            split(text)


def test_continued_line_is_one_line() -> None:
    """Outside quotes and in double quotes."""
    assert ["ab", "cd", "e\\\nf"] == split("a\\\nb \\\n\"c\\\nd\" 'e\\\nf'")

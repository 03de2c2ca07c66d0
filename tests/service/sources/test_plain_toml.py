"""The reader of plain TOML, compared with the standard library."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.sources.plain_toml import parse

# Pieces that make lines which are TOML, nearly TOML, or none.
PIECES = st.sampled_from(
    """a b-c 1 0 007 -5 +3 1_0 0x1 1.5 true false = , [ ] { } [[ ]] " ' \\ \\n \\" # \t . ''' """
    '''""" é inf 1979-05-27 a=1 a="x" [a] [[a]] b='y' [b.c] a=[1,"2"] a={b=1,c=.5} {d=1} '''
    "\r \u2028 \x7f".split(" ")
)
LINES = st.lists(PIECES, max_size=6).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda gap: gap.join(pieces))
)


@settings(max_examples=1500)
@given(st.lists(LINES, max_size=5).map("\n".join))
def test_plain_toml_agrees_with_the_standard_library(text: str) -> None:
    """It may give up on anything, but what it reads is what tomllib reads."""
    found = parse(text)
    if found is not None:
        assert tomllib.loads(text) == found


@pytest.mark.parametrize(
    "text",
    [
        'a = "x # y" # z',
        "a = 'c:\\d'",
        'a = "tab\\tquote\\"end"',
        "a = [1, 2,]",
        "a = [\"x\", 'y' ]",
        "a=-5\nb=+3\nc=true",
        "a = 0.5\nb = -12.25\nc = [1.0, 2]",
        'a = { b = "x", c=[1, {d = 2.5}] , e = {} } # f',
        "a = {}\n[b]\nc = {d = true}",
        "[t]\na=1\n[[u]]\nb=2\n[[u]]\nb=3",
    ],
)
def test_plain_toml_reads_plain_lines(text: str) -> None:
    """It would be of no use if it gave up on these."""
    assert tomllib.loads(text) == parse(text)

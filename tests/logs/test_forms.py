"""The forms of a log, by values: a piece at a time gives the same as all at once."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.logs.forms import FORMS, TAIL, timestamp, unfinished

TIME = 1_000_000_000.25
STAMP = timestamp(TIME)
BYTES = st.lists(
    st.sampled_from(
        [b"\n", b"a", b'"', b"\\", b"\x00", b"\xff", b"\x80", "ä€😀".encode(), b"\xe2\x82"]
    )
).map(b"".join)


def applied(form: str, pieces: list[bytes], finish: bool = True) -> bytes:
    """Return what is in a file after these pieces of output."""
    text = b""
    for piece in filter(None, pieces):
        back, added = FORMS[form].apply(piece, text[-TAIL:], TIME, "web", "stdout")
        text = text[: len(text) - back] + added
    back, added = FORMS[form].finish(text[-TAIL:])
    return text[: len(text) - back] + added if finish else text


def test_timestamp_is_iso_8601_with_an_offset() -> None:
    """2001-09-09T01:46:40.250+00:00, in local time."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", STAMP)
    from datetime import datetime

    assert TIME == datetime.fromisoformat(STAMP).timestamp()
    assert TIME + 0.5 == datetime.fromisoformat(timestamp(TIME + 0.5)).timestamp()


PLAIN = {"form": "plain"}
S = STAMP.encode() + b" "
STAMPED = {
    "a line": ([b"one\n"], S + b"one\n"),
    "two lines": ([b"one\ntwo\n"], S + b"one\n" + S + b"two\n"),
    "a line in pieces": ([b"o", b"n", b"e\n"], S + b"one\n"),
    "a newline alone ends the line": ([b"one", b"\n", b"two\n"], S + b"one\n" + S + b"two\n"),
    "empty lines": ([b"\n\n"], S + b"\n" + S + b"\n"),
    "no newline at the end": ([b"one\ntw"], S + b"one\n" + S + b"tw\n"),
    "nothing": ([], b""),
}


@pytest.mark.parametrize("case", STAMPED)
def test_stamp_stands_before_each_line(case: str) -> None:
    """Each line once, wherever the pieces end."""
    pieces, expected = STAMPED[case]
    assert expected == applied("timestamp", pieces)


def objects(text: bytes) -> list[str]:
    """Return the text of each object of a file, after a look at the rest."""
    found = [json.loads(line) for line in text.decode().splitlines() if line]
    assert [(STAMP, "web", "stdout")] * len(found) == [
        (one["time"], one["name"], one["stream"]) for one in found
    ]
    return [one["text"] for one in found]


JSON = {
    "lines": ([b"one\ntwo\n"], ["one", "two"]),
    "a line in pieces": ([b"o", b"ne", b"\n"], ["one"]),
    "empty lines": ([b"\n", b"\n"], ["", ""]),
    "quotes and control characters": ([b'"\\n\t\x00\n'], ['"\\n\t\x00']),
    "a character in pieces": ([b"\xe2", b"\x82", b"\xac\n"], ["\u20ac"]),
    "no UTF-8": ([b"\xff\xe2\x82\n"], ["\\xff\\xe2\\x82"]),
    "half a character before another": ([b"\xe2", b"a\n"], ["\\xe2a"]),
    "half a character at the end": ([b"a\xe2\x82"], ["a\\xe2\\x82"]),
    "a carriage return stays": ([b"a\r\n"], ["a\r"]),
    "nothing": ([], []),
}  # fmt: skip


@pytest.mark.parametrize("case", JSON)
def test_json_has_an_object_a_line(case: str) -> None:
    """time, name, stream and text; a byte that is no UTF-8 is written as an escape."""
    pieces, expected = JSON[case]
    assert expected == objects(applied("json", pieces))


def test_json_has_a_name_that_is_no_text() -> None:
    """A program's may be any bytes: an escape, as in a line; else the logger would end."""
    _, written = FORMS["json"].apply(b"one\n", b"", 0.0, "web\udcff", "output")
    assert "web\\xff" == json.loads(written)["name"]


@pytest.mark.parametrize("form", FORMS)
@given(data=BYTES, cuts=st.lists(st.integers(0, 40)))
def test_pieces_give_the_same_as_the_whole(form: str, data: bytes, cuts: list[int]) -> None:
    """A file does not tell where one read ended and the next began."""
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[begin:end] for begin, end in zip(ends, ends[1:], strict=False)]
    assert applied(form, [data]) == applied(form, pieces)


@given(data=BYTES)
def test_json_text_is_the_line(data: bytes) -> None:
    """Lines are what newlines end, and their text is their bytes, decoded."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    expected = [line.decode("utf-8", "backslashreplace") for line in lines]
    assert expected == objects(applied("json", [data]))


@given(data=BYTES)
def test_plain_is_byte_for_byte(data: bytes) -> None:
    """Nothing is added, not even a newline at the end."""
    assert data == applied("plain", [data])


@given(text=st.text(max_size=3), data=st.binary(max_size=4))
def test_unfinished_character_is_at_most_three_bytes(text: str, data: bytes) -> None:
    """What is left before it is complete: no later byte changes its meaning."""
    whole = text.encode("utf-8", "replace")
    assert 0 == unfinished(whole)
    assert 0 <= unfinished(data) <= TAIL
    for cut in range(1, len("\U0001f600".encode())):
        assert cut == unfinished(whole + "\U0001f600".encode()[:cut])

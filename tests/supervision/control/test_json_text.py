"""Values as JSON text and back, compared with the module json."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.children import python

from ssd.supervision.control.json_reader import MAX_DEPTH, Malformed, read
from ssd.supervision.control.json_text import NUMBER, decode, encode, row

TEXTS = st.text(st.characters())  # surrogates too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
PIECES = st.sampled_from([
    "{", "}", "[", "]", ":", ",", '"', "\\", "\\u", "d83d", "\\ude00", "e", "E", "+", "-", ".",
    "0", "1", "12", "true", "false", "null", "nul", " ", "\t", "\n", "a", "\x01", "\udcff", "😀",
])  # fmt: skip


@given(VALUES)
def test_value_is_written_as_by_json(value: object) -> None:
    """Without blanks, in ASCII and in one line."""
    text = encode(value)
    assert json.dumps(value, separators=(",", ":")) == text
    assert text.isascii() and "\n" not in text


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_text_is_read_as_by_json(value: object, ascii: bool, indent: int | None) -> None:
    """By both readers, in every layout."""
    text = json.dumps(value, ensure_ascii=ascii, indent=indent)
    # Two escapes of surrogates that stand side by side are one character for every reader.
    expected = json.loads(text)
    assert expected == read(text, depth=99) == decode(text)
    assert repr(expected) == repr(read(text, depth=99))  # 1 and 1.0 and True are equal


@given(st.lists(PIECES, max_size=9).map("".join))
def test_any_text_is_read_as_by_json_or_refused(text: str) -> None:
    """No other error, and no other value."""
    try:
        expected: object = json.loads(text)
    except ValueError:
        for reader in (read, decode):
            with pytest.raises(ValueError):
                reader(text)
        return
    assert repr(expected) == repr(read(text, depth=99)) == repr(decode(text))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]"])
def test_number_that_json_lacks_is_refused(text: str) -> None:
    """RFC 8259, section 6; the module json takes them."""
    for reader in (read, decode):
        with pytest.raises(Malformed):
            reader(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", [object()]])
def test_value_that_json_lacks_is_not_written(value: object) -> None:
    """A line that no client can read is an error of ours."""
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_deep_nesting_is_refused() -> None:
    """However deep, without an error of recursion."""
    assert [[]] == read("[[]]", depth=2)
    for text in ("[" * (MAX_DEPTH + 1), '{"a":' * 100_000, "[[[]]]" * 2):
        with pytest.raises(Malformed):
            read(text)
    with pytest.raises(Malformed, match="nested too deeply, at character 2"):
        read("[[[]]]", depth=2)
    with pytest.raises(Malformed):
        decode("[" * 100_000)


def test_long_number_is_refused() -> None:
    """Reading thousands of digits takes time, so Python refuses it in its own way."""
    with pytest.raises(Malformed, match="too long"):
        read("1" * 5000)


def test_last_of_equal_keys_counts() -> None:
    """As for the module json."""
    assert {"a": 2} == read('{"a": 1, "a": 2}') == decode('{"a": 1, "a": 2}')


def test_no_text_loads_json_or_re() -> None:
    """Neither a text that is read or written, nor a malformed one of a stranger."""
    code = """
import sys
sys.modules["json"] = sys.modules["re"] = None  # an import of them fails
from ssd.supervision.control.json_reader import Malformed, read
from ssd.supervision.control.json_text import decode, encode
assert {"a": [1.5, None]} == read('{"a": [1.5, null]}') == decode(encode({"a": [1.5, None]}))
for text in ("", "{", '"', "NaN", "[1,]", "1 2"):
    try:
        read(text)
    except Malformed:
        continue
    sys.exit(text)
"""
    done = python(code)
    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [([1, 2.5], True), ([1, 2], True), ([1, "2"], False), ([1], False), ((1, 2), False),
     ([1, 2, 3], False), ([None, 2], False), (None, False)],
)  # fmt: skip
def test_row_has_exactly_the_types_asked_for(value: object, is_one: bool) -> None:
    """Anything else is an empty one."""
    assert row(value, int, NUMBER) == (value if is_one else [])

"""Read JSON that anybody may have written, in Python alone.

The C half of ``json`` imports all of it, and ``re``, to say what is wrong with a text. For a short
text this takes no longer than loading the C half.
"""

MAX_DEPTH = 8  # arrays and objects inside each other, for ``read``

_SPACE = " \t\n\r"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_DIGITS, _HEX = "0123456789", "0123456789abcdefABCDEF"
_HIGH, _LOW, _END = 0xD800, 0xDC00, 0xE000  # surrogates: RFC 8259, section 7


class Malformed(ValueError):
    """A text is not JSON, or is nested too deeply; the text of the error says where."""


def read(text: str, depth: int = MAX_DEPTH) -> object:
    """Read a text of anybody. Raises Malformed.

    The last of several equal keys counts. ``depth``: how many arrays and objects may be inside
    each other.
    """
    value, end = _value(text, _skip(text, 0), depth)
    if _skip(text, end) != len(text):
        raise Malformed(f"more than one value, at character {end}")
    return value


def _skip(text: str, at: int) -> int:
    """Return the place of the next character that is no white space."""
    while text[at : at + 1] in _SPACE and at < len(text):
        at += 1
    return at


def _value(text: str, at: int, depth: int) -> "tuple[object, int]":
    """Read the value that begins at a place; return it, and the place behind it."""
    first = text[at : at + 1]
    if first == '"':
        return _string(text, at + 1)
    if first in _WORDS:
        word, value = _WORDS[first]
        if text.startswith(word, at):
            return value, at + len(word)
    elif first in ("{", "["):
        if not depth:
            raise Malformed(f"nested too deeply, at character {at}")
        return (_object if first == "{" else _array)(text, _skip(text, at + 1), depth - 1)
    elif first and first in "-0123456789":
        return _number(text, at)
    raise Malformed(f"no value at character {at}")


def _array(text: str, at: int, depth: int) -> "tuple[list[object], int]":
    found: list[object] = []
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, at = _value(text, at, depth)
        found.append(value)
        at, more = _separator(text, _skip(text, at), "]")
        if not more:
            return found, at


def _object(text: str, at: int, depth: int) -> "tuple[dict[str, object], int]":
    found: dict[str, object] = {}
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise Malformed(f"no key at character {at}")
        key, at = _string(text, at + 1)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise Malformed(f"no colon at character {at}")
        found[key], at = _value(text, _skip(text, at + 1), depth)
        at, more = _separator(text, _skip(text, at), "}")
        if not more:
            return found, at


def _separator(text: str, at: int, end: str) -> "tuple[int, bool]":
    """Read a comma or an end; return the place of what follows, and whether it is an entry."""
    mark = text[at : at + 1]
    if mark == end:
        return at + 1, False
    if mark != ",":
        raise Malformed(f"no comma and no {end} at character {at}")
    return _skip(text, at + 1), True


def _string(text: str, at: int) -> "tuple[str, int]":
    """Read a text from behind its first quote."""
    parts = []
    while True:
        end = text.find('"', at)
        if end < 0:
            raise Malformed(f"no end of the text before character {len(text)}")
        escape = text.find("\\", at, end)
        plain = text[at : end if escape < 0 else escape]
        if plain and min(plain) < " ":
            raise Malformed(f"a control character behind character {at}")
        parts.append(plain)
        if escape < 0:
            return "".join(parts), end + 1
        character, at = _escape(text, escape + 1)
        parts.append(character)


def _escape(text: str, at: int) -> "tuple[str, int]":
    """Read an escape from behind its backslash; two surrogates are one character."""
    letter = text[at : at + 1]
    if letter in _ESCAPES:
        return _ESCAPES[letter], at + 1
    if letter != "u":
        raise Malformed(f"no such escape, at character {at}")
    first, at = _unit(text, at + 1), at + 5
    if _HIGH <= first < _LOW and text.startswith("\\u", at):
        second = _unit(text, at + 2)
        if _LOW <= second < _END:
            return chr(0x10000 + (first - _HIGH << 10) + (second - _LOW)), at + 6
    return chr(first), at


def _unit(text: str, at: int) -> int:
    digits = text[at : at + 4]
    if len(digits) < 4 or digits.strip(_HEX):
        raise Malformed(f"no four hexadecimal digits at character {at}")
    return int(digits, 16)


def _number(text: str, at: int) -> "tuple[int | float, int]":
    end = at
    while end < len(text) and text[end] in "0123456789+-.eE":
        end += 1
    word = text[at:end]
    mantissa, e, exponent = word.removeprefix("-").replace("E", "e").partition("e")
    whole, dot, fraction = mantissa.partition(".")
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    well = _is_digits(whole) and (whole == "0" or whole[0] != "0")
    well = well and (not dot or _is_digits(fraction)) and (not e or _is_digits(power))
    if not well:
        raise Malformed(f"no number at character {at}")
    try:
        return (float(word) if dot or e else int(word)), end
    except ValueError as error:  # sys.set_int_max_str_digits
        raise Malformed(f"a number that is too long, at character {at}") from error


def _is_digits(text: str) -> bool:
    return bool(text) and not text.strip(_DIGITS)

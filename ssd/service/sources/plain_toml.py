"""Read the plain part of TOML, which suffices for most declarations, in a fraction of the time.

``tomllib`` imports ``re`` and takes longer than the start of the interpreter. This module reads
``key = value`` lines, with texts, numbers, true, false, and lists and tables of these on one line,
below ``[table]`` and ``[[list of tables]]`` headings. For anything else, and for every error,
``parse`` returns None, and the caller uses ``tomllib``. A property test compares the two.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_CONSTANTS = {"true": True, "false": False}


class NotPlain(Exception):
    """A text that is not plain; only tomllib can tell whether it is TOML."""


def parse(text: str) -> "dict[str, object] | None":
    """Return the document, or None if it is not plain."""
    top: dict[str, object] = {}
    here = top
    try:
        for line in text.split("\n"):
            line = line.strip(" \t")
            if not line.isprintable():  # TOML forbids control characters even in comments
                raise NotPlain
            if not line or line[0] == "#":
                continue
            if line[0] == "[":
                here = _heading(line, top)
            else:
                _assign(line, here)
    except (NotPlain, RecursionError):
        return None
    return top


def _key(text: str) -> str:
    if not text or text.strip(_LETTERS):
        raise NotPlain
    return text


def _heading(line: str, top: "dict[str, object]") -> "dict[str, object]":
    """Return the table that a heading opens."""
    made: dict[str, object] = {}
    if line[:2] == "[[" and line[-2:] == "]]":
        name = _key(line[2:-2].strip(" \t"))
        tables = top.setdefault(name, _Tables())
        if not isinstance(tables, _Tables):
            raise NotPlain
        tables.append(made)
        return made
    if line[-1] != "]":
        raise NotPlain
    name = _key(line[1:-1].strip(" \t"))
    if name in top:
        raise NotPlain
    top[name] = made
    return made


class _Tables(list["dict[str, object]"]):
    """A list made by headings; headings must not add to a list made by ``=``."""


def _assign(line: str, here: "dict[str, object]") -> None:
    name, equals, rest = line.partition("=")
    name = _key(name.rstrip(" \t"))
    if not equals or name in here:
        raise NotPlain
    inner = rest.lstrip(" \t")
    if inner[:1] == '"' == inner[-1:] and inner.count('"') == 2 and "\\" not in inner:
        here[name] = inner[1:-1]  # most lines are like this
        return
    value, rest = _value(rest.lstrip(" \t"))
    rest = rest.lstrip(" \t")
    if rest and rest[0] != "#":
        raise NotPlain
    here[name] = value


def _value(text: str) -> "tuple[object, str]":
    """Return the value at the start of a text, and the rest of the text."""
    first = text[:1]
    if first == '"' or first == "'":
        return _string(text)
    if first == "[":
        return _list(text[1:])
    if first == "{":
        return _table(text[1:].lstrip(" \t"))
    word = text
    for end in ",]}# \t":
        word = word.partition(end)[0]
    rest = text[len(word) :]
    if word in _CONSTANTS:
        return _CONSTANTS[word], rest
    whole, point, fraction = word.partition(".")
    digits = whole[1:] if whole[:1] in ("-", "+") else whole
    # Leading zeros, underscores and other bases are left to tomllib.
    if (
        not (word.isascii() and digits.isdigit() and (not point or fraction.isdigit()))
        or len(digits) > 18
        or digits[0] == "0" != digits
    ):
        raise NotPlain
    return float(word) if point else int(word), rest


def _string(text: str) -> "tuple[str, str]":
    """Read a text in single or double quotes."""
    quote = text[0]
    if text[:3] == quote * 3:
        raise NotPlain
    end = text.find(quote, 1)
    inner = text[1:end]
    if end < 0:
        raise NotPlain
    if quote == '"' and "\\" in inner:
        return _escaped(text)
    return inner, text[end + 1 :]


def _escaped(text: str) -> "tuple[str, str]":
    """Read a text in double quotes that contains backslashes."""
    parts: list[str] = []
    characters = iter(enumerate(text[1:], 2))
    for after, character in characters:
        if character == '"':
            return "".join(parts), text[after:]
        if character == "\\":
            parts.append(_escape(characters))
        else:
            parts.append(character)
    raise NotPlain


def _escape(characters: "Iterator[tuple[int, str]]") -> str:
    _, letter = next(characters, (0, ""))
    if letter not in _ESCAPES:
        raise NotPlain
    return _ESCAPES[letter]


def _list(text: str) -> "tuple[list[object], str]":
    """Read a list, after its opening bracket."""
    found: list[object] = []
    text = text.lstrip(" \t")
    while text[:1] != "]":
        value, text = _value(text)
        found.append(value)
        text = text.lstrip(" \t")
        if text[:1] == ",":
            text = text[1:].lstrip(" \t")
        elif text[:1] != "]":
            raise NotPlain
    return found, text[1:]


def _table(text: str) -> "tuple[dict[str, object], str]":
    """Read a table on one line, after its opening brace."""
    found: dict[str, object] = {}
    while text[:1] != "}":
        name, equals, rest = text.partition("=")
        name = _key(name.rstrip(" \t"))
        if not equals or name in found:
            raise NotPlain
        found[name], rest = _value(rest.lstrip(" \t"))
        rest = rest.lstrip(" \t")
        text = rest[1:].lstrip(" \t")
        if rest[:1] == "}":
            return found, rest[1:]
        if rest[:1] != "," or text[:1] == "}":  # TOML 1.0 has no comma before the brace
            raise NotPlain
    return found, text[1:]

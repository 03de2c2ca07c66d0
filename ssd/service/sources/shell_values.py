"""The values of fields as a shell file writes them, in both directions.

Flags are yes and no. A list is its words, quoted if necessary. A table is words ``KEY=VALUE``. A
list of tables has a word for each table, which is split into words again.
"""

from ssd.service.errors import BadValue
from ssd.service.fields import TABLES
from ssd.service.kinds import TABLE
from ssd.service.words import join, quote, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def from_text(kind: str, text: str) -> object:
    """Return the value that a text means; the field's check comes after. Raises BadValue."""
    try:
        return FORMS[TABLE[kind][1] if kind in TABLE else "text"](text)
    except ValueError as error:
        reason = error.reason if isinstance(error, BadValue) else str(error)
        raise BadValue(reason) from None


def to_text(kind: str, value: object) -> str:
    """Return the text from which ``from_text`` makes this value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        kinds = TABLES.get(kind, {})
        texts = {key: to_text(kinds.get(key, "text"), each) for key, each in value.items()}
        return " ".join(f"{quote(key)}={quote(text)}" for key, text in texts.items())
    if isinstance(value, list):
        return join([_directory(e) if isinstance(e, dict) else str(e) for e in value])
    return str(value)


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise BadValue(f"must be yes or no, not {text!r}")
    return _FLAGS[text.lower()]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadValue(f"must be a whole number, not {text!r}") from None


def _number(text: str) -> "int | float":
    try:
        return float(text) if "." in text or "e" in text else int(text)
    except ValueError:
        raise BadValue(f"must be a number, not {text!r}") from None


def _oom(text: str) -> "int | str":
    return text if text == "never" else _integer(text)


def _exits(text: str) -> "list[object]":
    return [int(word) if word.isascii() and word.isdigit() else word for word in split(text)]


def _pairs(text: str) -> "dict[str, str]":
    pairs = {}
    for word in split(text):
        key, equals, value = word.partition("=")
        if not equals:
            raise BadValue(f"must be words KEY=VALUE, not {word!r}")
        pairs[key] = value
    return pairs


def _entries(kinds: "Mapping[str, str]") -> "Callable[[str], object]":
    """Make the reader of a table with known keys; the check rejects unknown ones."""
    return lambda text: {k: from_text(kinds.get(k, "text"), t) for k, t in _pairs(text).items()}


def _directories(text: str) -> "list[dict[str, str]]":
    return [{"path": w} if w.startswith("/") else _pairs(w) for w in split(text)]


def _directory(table: "dict[str, str]") -> str:
    return table["path"] if len(table) == 1 else to_text("table", table)


# form (``ssd.service.kinds.TABLE``) -> its reader
FORMS: "dict[str, Callable[[str], object]]" = {
    "directories": _directories, "exits": _exits, "flag": _flag, "integer": _integer,
    "number": _number, "oom": _oom, "pairs": _pairs, "text": str, "words": split,
    **{kind: _entries(kinds) for kind, kinds in TABLES.items()},
}  # fmt: skip

"""Values as JSON text and back, without the modules ``json`` and ``re``.

They would take a megabyte of a supervisor and a third of the time of a query. The C half of
``json`` writes, and reads texts of a trusted author; ``control.json_reader`` is for others.
"""

from ssd.supervision.control.json_reader import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SPACE = " \t\n\r"
NUMBER = (int, float)  # the types of a number


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is no type of JSON")


def _refuse_constant(word: str) -> object:
    raise Malformed(f"{word} is no number of JSON")


class _Settings:
    """What the C half reads of a ``json.JSONDecoder``."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, staticmethod(_refuse_constant)


try:
    from _json import encode_basestring_ascii as _quoted
    from _json import make_encoder, make_scanner
except ImportError:  # no CPython
    import json

    encode: "Callable[[object], str]" = json.JSONEncoder(
        allow_nan=False, separators=(",", ":")
    ).encode

    def decode(text: str) -> object:
        """Read a text of a trusted author. Raises ValueError."""
        return json.loads(text, parse_constant=_refuse_constant)
else:
    _chunks = make_encoder(None, _refuse, _quoted, None, ":", ",", False, False, False)
    _scan = make_scanner(_Settings)  # type: ignore[arg-type]

    def encode(value: object) -> str:
        """Write a value in ASCII and in one line.

        A lone surrogate, which stands for a byte that is no UTF-8 (PEP 383), is written as its
        escape. Raises TypeError and ValueError for what JSON cannot express.
        """
        return "".join(_chunks(value, 0))

    def decode(text: str) -> object:
        """Read a text of a trusted author. Raises ValueError."""
        try:
            value, end = _scan(text, len(text) - len(text.lstrip(_SPACE)))
        except StopIteration as stopped:
            raise Malformed(f"no value at character {stopped.value}") from None
        except RecursionError:
            raise Malformed("nested too deeply") from None
        if text[end:].strip(_SPACE):
            raise Malformed(f"more than one value, at character {end}")
        return value


def row(value: object, *types: "type | tuple[type, ...]") -> "list[Any]":
    """Return a list if it has exactly values of these types, in their order; otherwise []."""
    if not isinstance(value, list) or len(value) != len(types):
        return []
    return value if all(map(isinstance, value, types)) else []

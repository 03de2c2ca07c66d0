"""The values of systemd's settings: texts to words, commands, times, sizes and signals.

systemd.syntax(7), systemd.service(5), systemd.time(7). Each function raises ValueError, whose
words say what the text must be.
"""

import os

from ssd.service.importing.values import integer, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BLANKS = " \t\n\r"
PREFIXES = "-@:+!|"
YES = ("1", "yes", "y", "true", "t", "on")
NO = ("0", "no", "n", "false", "f", "off")
# Units of time in seconds: systemd.time(7).
TIMES = {
    "us": 1e-6, "usec": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
    "M": 2629800, "month": 2629800, "months": 2629800,
    "y": 31557600, "year": 31557600, "years": 31557600,
}  # fmt: skip
SIZES = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50,
         "E": 1 << 60}  # fmt: skip
ESCAPES = {
    "a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v",
    "\\": b"\\", '"': b'"', "'": b"'", "s": b" ",
}  # fmt: skip
CODED = {"x": 2, "u": 4, "U": 8}  # an escape and its hexadecimal digits; else three octal ones
# Names of exit statuses besides those of sysexits(3): systemd.exec(5).
STATUSES = {
    "SUCCESS": 0, "FAILURE": 1, "INVALIDARGUMENT": 2, "NOTIMPLEMENTED": 3, "NOPERMISSION": 4,
    "NOTINSTALLED": 5, "NOTCONFIGURED": 6, "NOTRUNNING": 7,
}  # fmt: skip
SEPARATOR, LITERAL_SEPARATOR = ";", "\\;"


def split(text: str) -> "list[str]":
    """Split a text into words, without their quotes and escapes."""
    return [word for _, word in _words(text)]


def _words(text: str) -> "Iterator[tuple[str, str]]":
    """Yield each word of a text, as it is written and without its quotes and escapes."""
    at = 0
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
            continue
        start = at
        word, at = _word(text, at)
        yield text[start:at], word


def _word(text: str, at: int) -> "tuple[str, int]":
    """Return the word that begins at a position, and the position after it."""
    made, quote = b"", ""
    while at < len(text):
        here = text[at]
        if not quote and here in BLANKS:
            break
        at += 1
        if here == quote:
            quote = ""
        elif not quote and here in "\"'":
            quote = here
        elif here == "\\":
            piece, at = _escape(text, at)
            made += piece
        else:
            made += here.encode("utf-8", "surrogateescape")
    if quote:
        raise ValueError(f"has a quote without its pair: {text!r}")
    return made.decode("utf-8", "surrogateescape"), at


def _escape(text: str, at: int) -> "tuple[bytes, int]":
    """Return what an escape means, and the position after it; an unknown one is itself."""
    mark = text[at : at + 1]
    if mark in ESCAPES:
        return ESCAPES[mark], at + 1
    start, count, base = (at + 1, CODED[mark], 16) if mark in CODED else (at, 3, 8)
    digits = text[start : start + count]
    known = "0123456789abcdefABCDEF" if base == 16 else "01234567"
    if len(digits) == count and not digits.strip(known):
        number = int(digits, base)
        one_byte = mark == "x" or base == 8
        if 0 < number < (256 if one_byte else 0x110000):
            whole = bytes([number]) if one_byte else chr(number).encode("utf-8", "surrogatepass")
            return whole, start + count
    return b"\\", at


class Command:
    """A command line: its words without quotes, and the characters before the program.

    The words still have their variables.
    """

    __slots__ = ("prefixes", "words")

    def __init__(self, prefixes: str, words: "list[str]") -> None:
        self.prefixes = prefixes
        self.words = words

    @property
    def privileged(self) -> bool:
        """Whether root runs it, whatever User= is. Since Linux 4.3 ``!!`` asks for nothing."""
        return "+" in self.prefixes or "!" in self.prefixes and "!!" not in self.prefixes


def commands(text: str, expand: "Callable[[str], str]") -> "list[Command]":
    """Read the command lines of a setting; ``expand`` replaces the specifiers of a word."""
    found = []
    for words in _parted(text):
        first = words[0]
        bare = first.lstrip(PREFIXES)
        prefixes = first[: len(first) - len(bare)]
        whole = [expand(bare), *map(expand, words[1:])]
        if "@" in prefixes and len(whole) > 1:
            del whole[1]  # argv[0], which a declaration cannot have
        if not whole[0]:
            raise ValueError(f"must name a program: {text!r}")
        found.append(Command(prefixes, whole))
    return found


def _parted(text: str) -> "Iterator[list[str]]":
    """Yield the words of each command: a semicolon alone ends one."""
    words: list[str] = []
    for written, word in _words(text):
        if written == SEPARATOR:
            if words:
                yield words
            words = []
        else:
            words.append(";" if written == LITERAL_SEPARATOR else word)
    if words:
        yield words


def specifiers(text: str, known: "Mapping[str, str]") -> str:
    """Replace ``%n`` and its like. Raises ValueError for one that an import cannot know."""
    if "%" not in text:
        return text
    made = ""
    at = 0
    while at < len(text):
        mark = text[at + 1 : at + 2]
        if text[at] != "%" or not mark:
            made, at = made + text[at], at + 1
            continue
        if mark.isalpha() and mark not in known:
            raise ValueError(f"%{mark} is unknown before a start")
        made, at = made + ("%" if mark == "%" else known.get(mark, f"%{mark}")), at + 2
    return made


def flag(text: str) -> bool:
    """Read a boolean."""
    if text.lower() not in (*YES, *NO):
        raise ValueError(f"must be yes or no, not {text!r}")
    return text.lower() in YES


def seconds(text: str, unit: float = 1) -> "int | float | None":
    """Read a span of time, ``5min 20s``; None is infinity. A bare number has the unit ``unit``."""
    if text == "infinity":
        return None
    total, rest = 0.0, text.strip()
    if not rest:
        raise ValueError("must be a time, such as 90 or 1min 30s")
    while rest:
        tail = rest.lstrip("0123456789.")
        number, rest = rest[: len(rest) - len(tail)], tail.lstrip()
        name = rest[: len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyzMµμ"))]
        rest = rest[len(name) :].lstrip()
        if not number or name not in TIMES or number.count(".") > 1 or number == ".":
            raise ValueError(f"must be a time, such as 90 or 1min 30s, not {text!r}")
        total += float(number) * (TIMES[name] if name else unit)
    whole = round(total, 6)
    return int(whole) if whole == int(whole) else whole


def limit(text: str, unit: str) -> "int | str":
    """Read SOFT:HARD of a limit, ``unit`` being bytes, seconds, microseconds, nice or ""."""
    soft, colon, hard = text.partition(":")
    made = [_bound(each.strip(), unit) for each in ([soft, hard] if colon else [soft])]
    if len(made) == 2 and made[0] != made[1]:
        return ":".join(map(str, made))
    return made[0]


def _bound(text: str, unit: str) -> "int | str":
    if text == "infinity":
        return "unlimited"
    if unit in ("seconds", "microseconds"):
        span = seconds(text, 1 if unit == "seconds" else 1e-6)
        assert span is not None
        return round(span * (1 if unit == "seconds" else 1e6))
    if unit == "nice" and text[:1] in ("+", "-"):
        return 20 - integer(text)  # getrlimit(2), RLIMIT_NICE
    mark = text[-1:] if unit == "bytes" and text[-1:] in SIZES else ""
    return integer(text.removesuffix(mark)) * SIZES[mark]


def exit_status(text: str) -> "int | str":
    """Read a status: a number, a signal, or a name of sysexits(3)."""
    if text.isascii() and text.isdigit() and int(text) < 256:
        return int(text)
    named = STATUSES.get(text, getattr(os, f"EX_{text}", None))
    if named is not None:
        return int(named)
    name = signal(text)
    if name.startswith("-"):
        raise ValueError(f"must be a status or a signal with a name, not {text!r}")
    return name

"""Put texts into the grammars of shells, systemd and Upstart, so that they come out the same.

Whatever a text holds, it stays one word, or one line, of what it is put into.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A name that a shell and systemd take for a variable's.
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)

# What ends a line for somebody: C0 and C1 controls, and Unicode's separators.
_CONTROLS = {*range(32), *range(127, 160), 0x2028, 0x2029}
_BLANKS = dict.fromkeys(_CONTROLS, " ")
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%", "$": "$$"}
# systemd takes no program with such a character in its path, however it is quoted.
REFUSED_IN_PROGRAMS = frozenset("\"'\\")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+,-./:=@_")


def line(text: str) -> str:
    """Return a text as a part of one line, for comments: controls become blanks."""
    return text.translate(_BLANKS)


def has_controls(text: str) -> bool:
    """Tell whether a text holds what ends a line, or shows as nothing."""
    return any(ord(character) in _CONTROLS for character in text)


def is_undecodable(text: str) -> bool:
    """Tell whether a text holds bytes that are no UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def systemd_word(text: str, variables: bool = True) -> str:
    """Return a text as one word of a line of systemd's (systemd.syntax(7), systemd.service(5)).

    ``variables``: whether the line is one in which ``$`` is special, as ExecStart= is. Bytes
    that are no UTF-8, which systemd refuses as they are, and controls are written in hex.
    """
    if text and _PLAIN.issuperset(text):
        return text
    quoted = (_systemd_character(each) for each in text)
    joined = "".join(quoted)
    return f'"{joined}"' if variables else f'"{joined}"'.replace("$$", "$")


def _systemd_character(character: str) -> str:
    number = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if 0xDC80 <= number <= 0xDCFF:  # a byte that could not be decoded
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 32 or number == 127 else character


def systemd_words(words: "Iterable[str]") -> str:
    """Return texts as words of a command line of systemd's."""
    return " ".join(systemd_word(word) for word in words)


def systemd_command(words: "Sequence[str]", prefix: str = "") -> str:
    """Return a command line with these words, through a shell if systemd needs one."""
    program = words[0]
    bad = has_controls(program) or not REFUSED_IN_PROGRAMS.isdisjoint(program)
    if bad or not program.startswith("/"):
        words = ["/bin/sh", "-c", 'exec "$0" "$@"', *words]
    elif "$" in program:
        # In the path of the program $$ is no way to write it. With a colon $ is nothing special.
        quoted = " ".join(systemd_word(word, variables=False) for word in words)
        return f"{prefix}:{quoted}"
    return prefix + systemd_words(words)


def systemd_value(text: str) -> str:
    """Return a text as the value of a setting that takes the rest of its line.

    A backslash at the end would take in the next line; a blank after it is no part of the
    value. Controls become blanks.
    """
    value = line(text).replace("%", "%%")
    return value + " " if value.endswith("\\") else value


def upstart_word(text: str) -> str:
    """Return a text as one word of a stanza (init(5)). It has no newline: see has_controls.

    For Upstart's reader a backslash takes the meaning from a quote but stays there itself, so
    double quotes stand in single ones, and the rest in double ones.
    """
    parts = text.replace("\\", "\\\\").split('"')
    return "'\"'".join(f'"{part}"' for part in parts)

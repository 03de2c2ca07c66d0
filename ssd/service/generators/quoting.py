"""Quote texts for comments and systemd: each reads back exactly the same text.

Any text stays one word, or one line. ``ssd.service.words`` quotes for sh, and
``ssd.service.sources.upstart.lexer`` for Upstart.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A name of a variable that a shell and systemd accept.
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)

# Characters that end a line for some reader: C0 and C1 controls, Unicode's separators.
_CONTROLS = {*range(32), *range(127, 160), 0x2028, 0x2029}
_BLANKS = dict.fromkeys(_CONTROLS, " ")
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%", "$": "$$"}
# systemd refuses a program whose path has one of these characters, quoted or not.
REFUSED_IN_PROGRAMS = frozenset("\"'\\")
EXECUTE = 'exec "$0" "$@"'  # for a shell that starts such a program
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+,-./:=@_")


def line(text: str) -> str:
    """Return a text for a comment, as part of one line: controls become blanks."""
    return text.translate(_BLANKS)


def has_controls(text: str) -> bool:
    """Return whether a text has a control character or a line separator."""
    return any(ord(character) in _CONTROLS for character in text)


def is_undecodable(text: str) -> bool:
    """Return whether a text has bytes that are not UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def systemd_word(text: str, variables: bool = True) -> str:
    """Return a text as one word for systemd (systemd.syntax(7), systemd.service(5)).

    ``variables``: whether ``$`` is special in the line, as it is in ExecStart=. Controls, and
    bytes that are not UTF-8, are written in hex, because systemd does not accept them raw.
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
    """Return texts as the words of a systemd command line."""
    return " ".join(systemd_word(word) for word in words)


def systemd_command(words: "Sequence[str]", prefix: str = "") -> str:
    """Return a systemd command line, through a shell if systemd cannot run the program itself."""
    program = words[0]
    bad = has_controls(program) or not REFUSED_IN_PROGRAMS.isdisjoint(program)
    if bad or not program.startswith("/"):
        words = ["/bin/sh", "-c", EXECUTE, *words]
    elif "$" in program:
        # In the path of the program $$ does not mean $. After a colon $ is an ordinary character.
        quoted = " ".join(systemd_word(word, variables=False) for word in words)
        return f"{prefix}:{quoted}"
    return prefix + systemd_words(words)


def systemd_value(text: str) -> str:
    """Return a text as the value of a setting that extends to the end of the line.

    A backslash at the end would continue the line, so a blank follows it; systemd strips
    that. Controls become blanks.
    """
    value = line(text).replace("%", "%%")
    return value + " " if value.endswith("\\") else value

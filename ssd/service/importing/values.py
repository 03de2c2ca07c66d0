"""The values of supervisord's options: texts to numbers, flags, lists and tables.

Each raises ValueError, whose words say what the text must be.
"""

import shlex

from ssd.signal_names import signal_name
from ssd.signals import raw

YES = ("yes", "true", "on", "1")
NO = ("no", "false", "off", "0")
SIZES = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
NAME_CHARACTERS = "/.+-():"  # of a variable or a bare value, besides letters, digits and _


def flag(text: str) -> bool:
    """Read a boolean."""
    if text.lower() not in (*YES, *NO):
        raise ValueError(f"must be true or false, not {text!r}")
    return text.lower() in YES


def restart(text: str) -> str:
    """Read when a process is started again: always, never, or unexpected for some statuses."""
    if text.lower() == "unexpected":
        return "unexpected"
    try:
        return "always" if flag(text) else "never"
    except ValueError:
        raise ValueError(f"must be true, false or unexpected, not {text!r}") from None


def integer(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"must be a whole number, not {text!r}") from None


def size(text: str) -> int:
    """Read a number of bytes, with KB, MB or GB."""
    unit = SIZES.get(text[-2:].lower())
    return integer(text) if unit is None else integer(text[:-2]) * unit


def exit_statuses(text: str) -> "list[int]":
    """Read statuses with commas between them."""
    found = [integer(each) for each in text.split(",")] if text else []
    if not all(0 <= each <= 255 for each in found):
        raise ValueError(f"must be statuses of 0 to 255, not {text!r}")
    return found


def signal(text: str) -> str:
    """Read a signal, by name with SIG or without, or by number; return it for a schedule."""
    word = text.strip().upper().removeprefix("SIG")
    number = int(word) if word.isdigit() else getattr(raw, f"SIG{word}", None)
    if not isinstance(number, int) or not 0 < number <= 64:
        raise ValueError(f"must be a signal, not {text!r}")
    name = signal_name(int(number))
    return f"-{name}" if name.isdigit() else name.removeprefix("SIG")


def octal(text: str) -> str:
    """Read a file mode creation mask; return its digits."""
    try:
        return f"{int(text, 8):03o}"
    except ValueError:
        raise ValueError(f"must be octal digits, not {text!r}") from None


def words(text: str) -> "list[str]":
    """Split a command line as a shell would; nothing else of a shell has a meaning."""
    try:
        found = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"cannot be split into words: {str(error).lower()}") from None
    if not found:
        raise ValueError("must name a program")
    return found


def table(text: str) -> "dict[str, str]":
    """Read ``NAME=value,NAME="a value"``; without quotes a value ends at any odd character."""
    lexer = shlex.shlex(text)
    lexer.wordchars += NAME_CHARACTERS
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise ValueError(f"has a quote without its pair: {error}") from None
    made = {}
    while tokens:
        name, equals, value = (*tokens, "", "", "")[:3]
        if equals != "=" or len(tokens) < 3:
            raise ValueError(f'must be NAME="value" pairs with commas between them, not {text!r}')
        made[name] = value.strip("'\"")
        del tokens[:4]  # and the comma
    return made


def names(text: str) -> "list[str]":
    """Read a list with commas."""
    return [each.strip() for each in text.split(",")] if text else []

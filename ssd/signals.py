"""Names and numbers of signals, and the calls of the C library.

``raw`` is the C half of the module signal: the same numbers and calls, without its 5 ms of
enums. It is private to CPython, so other interpreters get the public module.
"""

try:
    import _signal as raw  # type: ignore[import-not-found]
except ImportError:
    import signal as raw

__all__ = [
    "IGNORED", "INT_MAX", "SIGNAL_NAMES", "raw", "set_ignored", "signal_number", "whole_number",
]  # fmt: skip

# The names that start-stop-daemon(8) knows; the numbers are this system's.
SIGNAL_NAMES = (
    "ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV",
    "TERM", "USR1", "USR2", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
)  # fmt: skip

# CPython ignores these from its start-up on. An ignored signal stays ignored across execve(2),
# and programs rely on the default, so code that starts one must restore it.
IGNORED = [getattr(raw, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(raw, name)]

INT_MAX = 2**31 - 1


def set_ignored(action: int) -> None:
    """Give the signals that CPython ignores an action."""
    for signum in IGNORED:
        raw.signal(signum, action)


def whole_number(text: str) -> int | None:
    """Read a decimal number from 0 to 2147483647 as strtol(3) does; None for any other text."""
    stripped = text.lstrip(" \t\n\v\f\r")
    digits = stripped[1:] if stripped[:1] in ("+", "-") else stripped
    # int() also takes digits of other scripts, and refuses texts of thousands of digits in its
    # own way. Ten digits hold INT_MAX.
    if not (digits.isascii() and digits.isdigit()) or len(digits.lstrip("0")) > 10:
        return None
    value = int(stripped)
    return value if 0 <= value <= INT_MAX else None


def signal_number(text: str) -> int | None:
    """Read a signal, a number or a name without SIG; None for any other text."""
    value = whole_number(text)
    if value is None and text in SIGNAL_NAMES:
        value = int(getattr(raw, f"SIG{text}"))
    return value

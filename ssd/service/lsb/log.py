"""The ``log_`` functions: write a console line, or a part of one, and return a status.

Extra arguments are ignored, as in a shell. Status 1 means that there was nothing to write.
"""

from ssd.service import console
from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write

STDOUT = 1
OVERFLOW = 255  # for numbers that do not fit: a failure must not become a success


def log_daemon_msg(description: str = "", name: str = "", *_more: str) -> int:
    """Begin a line: ``DESCRIPTION: NAME``."""
    return _say(console.daemon_text(description, name)) if description else FAILED


def log_progress_msg(*words: str) -> int:
    """Continue a line about several daemons."""
    return _say(console.progress_text(*words)) if _given(words) else FAILED


def log_begin_msg(*words: str) -> int:
    """Begin a line with any text."""
    return _say(console.begin_text(*words)) if _given(words) else FAILED


def log_end_msg(status: int | str = "", *_more: str) -> int:
    """End a line with a status and return it: 0 is success, 255 a warning, others a failure.

    Returns 255 for a number that does not fit into an exit status. For any other text it ends
    the line as a failure and raises ValueError.
    """
    if status == "":
        return FAILED
    value = _number(status)
    _say(console.end_text(console.FAILURE if value is None else value, console.is_fancy(STDOUT)))
    return _exit_status(status, value)


def log_success_msg(*words: str) -> int:
    """Write a whole line about a success; without words, only end a line."""
    return _say(console.success_text(*words))


def log_failure_msg(*words: str) -> int:
    """Write a whole line about a failure; without words, only end a line. Returns 0."""
    return _say(console.failure_text(*words, fancy=console.is_fancy(STDOUT)))


def log_warning_msg(*words: str) -> int:
    """Write a whole line with a warning; without words, only end a line. Returns 0."""
    return _say(console.warning_text(*words, fancy=console.is_fancy(STDOUT)))


def log_action_msg(*words: str) -> int:
    """Write a whole line about an action."""
    return _say(console.action_text(*words))


def log_action_begin_msg(*words: str) -> int:
    """Begin a line about an action."""
    return _say(console.action_begin_text(*words))


def log_action_cont_msg(*words: str) -> int:
    """Continue the line of an action."""
    return _say(console.action_cont_text(*words))


def log_action_end_msg(status: int | str = "", note: str = "", *_more: str) -> int:
    """End the line of an action: 0 is success, others a failure. Returns 0.

    For a text that is not a number it ends the line as a failure and raises ValueError.
    """
    value = _number(status)
    fault = console.FAILURE if value is None else value
    _say(console.action_end_text(fault, note, console.is_fancy(STDOUT)))
    _exit_status(status, value)
    return SUCCESS


def _say(text: str) -> int:
    write(STDOUT, text)
    return SUCCESS


def _given(words: tuple[str, ...]) -> bool:
    """Return whether there is something to write: the first word decides."""
    return bool(words and words[0])


def _number(status: int | str) -> int | None:
    """Read a decimal number with an optional sign; None for any other text."""
    if isinstance(status, int):
        return status
    digits = status[1:] if status[:1] in ("+", "-") else status
    if not (digits.isascii() and digits.isdigit()):
        return None
    # A status has at most three digits, and int() rejects thousands of digits.
    return int(status) if len(digits.lstrip("0")) <= 3 else OVERFLOW + 1


def _exit_status(status: int | str, value: int | None) -> int:
    """Return a valid exit status. Raises ValueError if there was no number."""
    if value is None:
        raise ValueError(f"'{status}' is not an exit status from 0 to 255")
    return value if 0 <= value <= OVERFLOW else OVERFLOW

"""The ``log_`` family: write a console line, or a part of one, and return a status.

An argument too many is passed over, as in a shell; 1 says that there was nothing to write.
"""

from ssd.service import console
from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write

STDOUT = 1
OVERFLOW = 255  # for what an exit status cannot hold: a failure must not become a success


def log_daemon_msg(description: str = "", name: str = "", *_more: str) -> int:
    """Begin a line: ``DESCRIPTION: NAME``."""
    return _say(console.daemon_text(description, name)) if description else FAILED


def log_progress_msg(*words: str) -> int:
    """Go on with a line about several daemons."""
    return _say(console.progress_text(*words)) if _given(words) else FAILED


def log_begin_msg(*words: str) -> int:
    """Begin a line with a text of one's own."""
    return _say(console.begin_text(*words)) if _given(words) else FAILED


def log_end_msg(status: int | str = "", *_more: str) -> int:
    """End a line with a status and return it: 0 is success, 255 a warning, others a failure.

    Returns 255 for a number that no exit status can be. Raises ValueError, after the line
    has ended in a failure, for what is no number.
    """
    if status == "":
        return FAILED
    value = _number(status)
    _say(console.end_text(console.FAILURE if value is None else value, console.is_fancy(STDOUT)))
    return _exit_status(status, value)


def log_success_msg(*words: str) -> int:
    """Write a whole line about a success; without words, end one so."""
    return _say(console.success_text(*words))


def log_failure_msg(*words: str) -> int:
    """Write a whole line about a failure; without words, end one so. Returns 0."""
    return _say(console.failure_text(*words, fancy=console.is_fancy(STDOUT)))


def log_warning_msg(*words: str) -> int:
    """Write a whole line about something doubtful; without words, end one so. Returns 0."""
    return _say(console.warning_text(*words, fancy=console.is_fancy(STDOUT)))


def log_action_msg(*words: str) -> int:
    """Write a whole line about what is done in one go."""
    return _say(console.action_text(*words))


def log_action_begin_msg(*words: str) -> int:
    """Begin a line about an action."""
    return _say(console.action_begin_text(*words))


def log_action_cont_msg(*words: str) -> int:
    """Go on with the line of an action."""
    return _say(console.action_cont_text(*words))


def log_action_end_msg(status: int | str = "", note: str = "", *_more: str) -> int:
    """End the line of an action: 0 is success, others a failure. Returns 0.

    Raises ValueError, after the line has ended in a failure, for what is no number.
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
    """Tell whether there is something to write: the first word decides."""
    return bool(words and words[0])


def _number(status: int | str) -> int | None:
    """Read a decimal number with or without a sign; None if it is none."""
    if isinstance(status, int):
        return status
    digits = status[1:] if status[:1] in ("+", "-") else status
    if not (digits.isascii() and digits.isdigit()):
        return None
    # No status has more than three digits, and int() refuses thousands of them.
    return int(status) if len(digits.lstrip("0")) <= 3 else OVERFLOW + 1


def _exit_status(status: int | str, value: int | None) -> int:
    """Return what can be an exit status. Raises ValueError for what is no number."""
    if value is None:
        raise ValueError(f"'{status}' is no exit status: a number from 0 to 255 is")
    return value if 0 <= value <= OVERFLOW else OVERFLOW

"""Debian's console lines: ``Starting DESC: NAME.``, ``failed!`` in red on a terminal.

Each ``*_text`` returns what the function of that name in Debian's /lib/lsb/init-functions
prints (log_daemon_msg and so on). ``fancy``: with colours; ``is_fancy`` asks the terminal. A
line begins before the work, and ends with its status after the work.
"""

import os

from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RED, YELLOW, NORMAL = "\033[31m", "\033[33m", "\033[0m"
PLAIN_TERMINALS = ("", "dumb")
SETTINGS = "/etc/lsb-base-logging.sh"  # where an administrator sets FANCYTTY
YES = ("", "1", "Y", "yes", "true")  # its values that keep the colours on

SUCCESS, FAILURE, WARNING = 0, 1, 255  # the statuses that log_end_msg tells apart


def is_fancy(
    fd: int = 1, environment: "Mapping[str, str] | None" = None, settings: str = SETTINGS
) -> bool:
    """Tell whether lines on a descriptor have colours.

    They do on a terminal whose TERM is neither empty nor "dumb", unless NO_COLOR is not empty
    (no-color.org), or ``settings``, a shell script, sets FANCYTTY to anything but 1, Y, yes, true.
    """
    if not os.isatty(fd):
        return False
    from ssd.service.environment import LEFT_OUT  # of what services do not get

    variables = os.environ if environment is None else environment
    if variables.get("NO_COLOR") or LEFT_OUT.get("NO_COLOR"):
        return False
    return variables.get("TERM", "") not in PLAIN_TERMINALS and _fancytty(settings) in YES


def _fancytty(settings: str) -> str:
    """Return the last value that a shell script assigns to FANCYTTY."""
    try:
        with open(settings, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:  # few machines have one; an unreadable one counts as missing
        return ""
    values = [line.removeprefix("FANCYTTY=") for line in lines if line.startswith("FANCYTTY=")]
    return values[-1].strip().strip("\"'") if values else ""


def daemon_text(description: str, name: str = "") -> str:
    """Begin a line about a daemon; without a name, ``progress_text`` can add several."""
    return f"{description}: {name}" if name else f"{description}:"


def progress_text(*words: str) -> str:
    """Continue a line that ``daemon_text`` has begun."""
    return " " + " ".join(words)


def begin_text(*words: str) -> str:
    """Begin a line with any text."""
    return " ".join(words)


def end_text(status: int, fancy: bool = False) -> str:
    """End a line: 0 is success, 255 a warning, anything else a failure."""
    if status == SUCCESS:
        return ".\n"
    if status == WARNING:
        return f" {_coloured('(warning).', YELLOW, fancy)}\n"
    return f" {_coloured('failed!', RED, fancy)}\n"


def success_text(*words: str) -> str:
    """Make a whole line about a success; without words, only its end."""
    return _begun(words) + end_text(SUCCESS)


def failure_text(*words: str, fancy: bool = False) -> str:
    """Make a whole line about a failure; without words, only its end."""
    return _begun(words, "...") + end_text(FAILURE, fancy)


def warning_text(*words: str, fancy: bool = False) -> str:
    """Make a whole line with a warning; without words, only its end."""
    return _begun(words, "...") + end_text(WARNING, fancy)


def action_text(*words: str) -> str:
    """Make a whole line about a short action."""
    return f"{begin_text(*words)}.\n"


def action_begin_text(*words: str) -> str:
    """Begin the line of an action that takes time."""
    return f"{begin_text(*words)}..."


def action_cont_text(*words: str) -> str:
    """Continue the line of an action."""
    return f"{begin_text(*words)}..."


def action_end_text(status: int, note: str = "", fancy: bool = False) -> str:
    """End the line of an action: 0 is success, anything else a failure."""
    end = f" ({note})." if note else "."
    if status == SUCCESS:
        return f"done{end}\n"
    return f"{_coloured(f'failed{end}', RED, fancy)}\n"


def _begun(words: "tuple[str, ...]", *more: str) -> str:
    """Begin a whole line, unless the first word is empty: it has begun then."""
    return begin_text(*words, *more) if words and words[0] else ""


def _coloured(text: str, colour: str, fancy: bool) -> str:
    return f"{colour}{text}{NORMAL}" if fancy else text


class Console:
    """Writes console lines to a descriptor, and never raises.

    ``fancy``: whether to use colours; None asks the terminal.
    """

    __slots__ = ("fd", "fancy")

    def __init__(self, fd: int = 1, fancy: bool | None = None) -> None:
        self.fd = fd
        self.fancy = is_fancy(fd) if fancy is None else fancy

    def write(self, text: str) -> None:
        """Write a text without delay, as far as the reader takes it."""
        write(self.fd, text)

    def begin(self, description: str, name: str = "") -> None:
        """Begin a line about a daemon (log_daemon_msg)."""
        self.write(daemon_text(description, name))

    def progress(self, *words: str) -> None:
        """Continue the line (log_progress_msg)."""
        self.write(progress_text(*words))

    def end(self, status: int) -> None:
        """End the line with an exit status (log_end_msg)."""
        self.write(end_text(status, self.fancy))

    def success(self, *words: str) -> None:
        """Write a whole line about a success (log_success_msg)."""
        self.write(success_text(*words))

    def failure(self, *words: str) -> None:
        """Write a whole line about a failure (log_failure_msg)."""
        self.write(failure_text(*words, fancy=self.fancy))

    def warning(self, *words: str) -> None:
        """Write a whole line with a warning (log_warning_msg)."""
        self.write(warning_text(*words, fancy=self.fancy))

    def action(self, *words: str) -> None:
        """Write a whole line about an action (log_action_msg)."""
        self.write(action_text(*words))

"""What a stage of a job executes: words, and what a shell reads from a pipe.

A text with characters that mean something to a shell needs one. The shell reads a script of
several lines from descriptor 9: its own arguments stay short, and others see no script in ps(1).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.sources.upstart import Stage


SHELL = "/bin/sh"
SHELL_CHARACTERS = "~`!$^&*()=|\\{}[];\"'<>?"
BLANKS = " \t\r\n"
SCRIPT_FD = 9
# The shell opens the pipe a second time, by its path. Without this its commands would have it.
FIRST_LINE = f"exec {SCRIPT_FD}<&-\n"
DEFAULT_PATH = "/bin:/usr/bin"  # of execvp(3), if PATH is not set


def compose(stage: "Stage") -> "tuple[list[str], str | None]":
    """Return the words to execute, and the script that goes through the pipe; None without one."""
    if not stage.is_script and not any(each in SHELL_CHARACTERS for each in stage.text):
        return _split(stage.text), None
    script = stage.text if stage.is_script else f"exec {stage.text}"
    first, _, rest = script.partition("\n")
    if not rest.strip("\n"):
        return [SHELL, "-e", "-c", first, SHELL], None
    return [SHELL, "-e", f"/proc/self/fd/{SCRIPT_FD}"], FIRST_LINE + script


def _split(text: str) -> "list[str]":
    """Split at blanks; other white space is part of a word, unlike in ``str.split``."""
    for blank in BLANKS[1:]:
        text = text.replace(blank, " ")
    return [word for word in text.split(" ") if word]


def candidates(words: "Sequence[str]", path: "str | None") -> "list[str]":
    """Return the files that execvp(3) tries for a program, in its order; none for no name."""
    name = words[0] if words else ""
    if "/" in name or not name:
        return [name] if name else []
    directories = (DEFAULT_PATH if path is None else path).split(":")
    return [f"{directory}/{name}" if directory else name for directory in directories]

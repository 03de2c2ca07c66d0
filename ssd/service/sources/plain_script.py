"""Scripts with code: whether they act on verbs, and what a declaration made of one would lose.

A declaration holds only the assignments of a script, not the effects of its code. So reading such
a script as a declaration is an error that names these effects; the script is run instead.
"""

from ssd.service.errors import DeclarationError
from ssd.service.sh import ARGUMENTS
from ssd.service.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOOL = "start-stop-daemon"
SHELLS = ("sh", "ash", "dash", "bash", "ksh", "ksh93", "mksh", "zsh")
# commands that use the arguments without naming them
_TAKERS = ("shift", "getopts")
_CONDITIONS = ("if", "elif", "while", "until", "[", "[[", "test")
# functions that init-d-script(5) calls, except those that become hooks
OVERRIDES = (
    "do_start", "do_start_cmd", "do_start_override", "do_start_cmd_override", "do_stop",
    "do_stop_cmd", "do_stop_override", "do_stop_cmd_override", "do_restart",
    "do_restart_override", "do_restart_prepare", "do_restart_cleanup", "do_reload",
    "do_reload_cmd", "do_reload_cmd_override", "do_reload_prepare", "do_reload_cleanup",
    "do_force_reload", "do_force_reload_override", "do_status", "do_status_override",
    "do_unknown", "do_usage", "do_usage_override",
)  # fmt: skip
# options without a value that a declaration covers
_HELD = (
    "--start", "-S", "--stop", "-K", "--status", "-T", "--quiet", "-q", "--verbose", "-v",
    "--background", "-b", "--make-pidfile", "-m", "--remove-pidfile", "--test", "-t",
    "--oknodo", "-o",
)  # fmt: skip
# option with a value -> the variable with which a declaration covers it
_VALUED = {
    "--pidfile": "PIDFILE", "-p": "PIDFILE", "--exec": "DAEMON", "-x": "DAEMON",
    "--startas": "DAEMON", "-a": "DAEMON", "--retry": "", "-R": "", "--name": "NAME", "-n": "NAME",
}  # fmt: skip
_RETRIES = ("TERM/30/KILL/5", "0/30/KILL/5")  # the default schedule, and its second half
# commands that change the user or environment of the program, or prepare something for it
_COMMANDS = (
    "su", "sudo", "runuser", "setpriv", "setuidgid", "chpst", "start_daemon", "daemon", "nohup",
    "chroot", "nice", "ionice", "cd", "mkdir", "install", "chown", "export", "ulimit", "umask",
)  # fmt: skip
_SEPARATORS = ("&&", "||", ";", "|", "&", ">", "2>", "<", ")", "(", "{", "}", "then", "do", "else")


def acts(text: str) -> bool:
    """Tell whether a script reads its arguments, and so has verbs of its own."""
    return any(
        any(mark in line for mark in ARGUMENTS) or any(map(_takes, _commands(line)))
        for _, line in _code(text)
    )


def _takes(words: list[str]) -> bool:
    """Tell whether a command uses the arguments without naming them: "shift", "for verb; do"."""
    return words[0] in _TAKERS or words[0] == "for" and len(words) == 2


def foreign(text: str) -> str:
    """Return the interpreter in a first line if it is not a shell, else an empty text."""
    first = text.partition("\n")[0]
    words = first[2:].split() if first.startswith("#!") else []
    names = [each.rpartition("/")[2] for each in words]
    return "" if any(each in SHELLS for each in names) else " ".join(words)


def reject_foreign(text: str, file: str) -> None:
    """Raise DeclarationError for a program whose interpreter is not a shell."""
    interpreter = foreign(text)
    if interpreter:
        reason = f"its interpreter is {interpreter}, but sh(1) reads a declaration"
        raise DeclarationError(reason, file=file, line=1)


def overrides(text: str) -> list[str]:
    """Return the functions with which an init-d-script replaces a verb."""
    names = text.replace(" ()", "()")
    return [each for each in OVERRIDES if f"{each}()" in names or f"alias {each}=" in text]


def reject_overrides(text: str, file: str) -> None:
    """Raise DeclarationError for an init-d-script that replaces a verb."""
    found = overrides(text)
    if found:
        raise DeclarationError(f"a declaration cannot contain {', '.join(found)}", file=file)


def reject_verbs(text: str, file: str) -> None:
    """Raise DeclarationError for a declaration that acts on its verb: it is not given one."""
    inside = False  # inside a function, which has its own arguments
    for number, line in _code(text):
        inside = "()" in line and "}" not in line or inside and line[:1] != "}"
        first, *rest = line.split(None, 1)
        plain = "".join(line.split("'")[::2])  # awk '{ print $1 }'
        asks = bool(rest) and any(mark in plain for mark in ARGUMENTS)
        if asks and (first == "case" or first in _CONDITIONS and not inside):
            reason = "a declaration is not given its verb; use hooks, such as SERVICE_BEFORE_START"
            raise DeclarationError(reason, first, file=file, line=number)


def reject_losses(text: str, file: str, found: "Mapping[str, str]") -> None:
    """Raise DeclarationError for effects of a script that its assignments do not cover.

    ``found``: the variables at its end.
    """
    if not acts(text):
        return
    lost = [(number, each) for number, line in _code(text) for each in _lost(line, found)]
    if not any(TOOL in line for _, line in _code(text)):
        raise DeclarationError(f"starts its program without {TOOL}; {_WAY_OUT}", file=file)
    if lost:
        words = list(dict.fromkeys(each for _, each in lost))
        reason = f"a declaration made of its assignments would lose {', '.join(words)}; {_WAY_OUT}"
        raise DeclarationError(reason, file=file, line=lost[0][0])


_WAY_OUT = "write a declaration, or run the script as it is"


def _code(text: str) -> "Iterator[tuple[int, str]]":
    """Yield number and text of each line of code, joined with the lines that continue it."""
    whole, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        first = first if whole else number
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        if whole.strip() and not whole.lstrip().startswith("#"):
            yield first, whole
        whole = ""


def _lost(line: str, found: "Mapping[str, str]") -> "Iterator[str]":
    """Yield the commands and options of a line that a declaration does not cover."""
    indented = line[:1] in " \t" or TOOL in line
    for words in _commands(line):
        if words[0] in _COMMANDS and indented:
            yield words[0]
        elif words[0].rpartition("/")[2] == TOOL:
            yield from _options(words[1:], found)


def _commands(line: str) -> "Iterator[list[str]]":
    """Yield the words of each simple command of a line, as far as quotes allow."""
    spaced = line.replace(";", " ; ").replace(")", " ) ").replace("$(", " ( ").replace("`", " ; ")
    try:
        words = split(spaced)
    except ValueError:  # a quote that is closed in a later line
        words = spaced.split()
    command: list[str] = []
    for word in [*words, ";"]:
        if word in _SEPARATORS or word[:1] in "<>" or word[:2] in ("2>", "1>"):
            if command:
                yield command
            command = []
        elif command or word not in ("if", "!", "elif", "while", "exec", "command"):
            command.append(word)


def _options(words: list[str], found: "Mapping[str, str]") -> "Iterator[str]":
    """Yield the options of a start-stop-daemon call that a declaration does not cover."""
    ahead = words[::-1]
    starts = "--start" in words or "-S" in words
    while ahead:
        word = ahead.pop()
        name, equals, value = word.partition("=")
        if word == "--":
            rest = [each for each in ahead[::-1] if not _is(each, "DAEMON_ARGS", found)]
            if rest:
                yield f"the arguments {' '.join(rest)}"
            return
        if name in _VALUED:
            value = value if equals else ahead.pop() if ahead else ""
            named = name in ("--name", "-n") and starts
            held = value in _RETRIES if not _VALUED[name] else _is(value, _VALUED[name], found)
            if named or not held:
                yield f"{name} {value}"
        elif word not in _HELD:
            value = ahead.pop() if not equals and ahead and ahead[-1][:1] != "-" else ""
            yield f"{name} {value}".strip()


def _is(word: str, variable: str, found: "Mapping[str, str]") -> bool:
    """Tell whether a word is a variable or its value."""
    return word in (f"${variable}", f"${{{variable}}}", found.get(variable))

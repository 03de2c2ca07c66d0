"""Scripts with code of their own: which act on a verb, and what a declaration cannot hold of one.

A script is read as a declaration for its assignments; what its code does beyond them would be
lost. So it is named, and the script stays what it is: something to be run.
"""

from ssd.service.errors import DeclarationError
from ssd.service.sh import ARGUMENTS
from ssd.service.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOOL = "start-stop-daemon"
SHELLS = ("sh", "ash", "dash", "bash", "ksh", "ksh93", "mksh", "zsh")
# By which commands code looks at them without a name.
_TAKERS = ("shift", "getopts")
_CONDITIONS = ("if", "elif", "while", "until", "[", "[[", "test")
# Functions that init-d-script(5) calls; those for which there is a hook are none of these.
OVERRIDES = (
    "do_start", "do_start_cmd", "do_start_override", "do_start_cmd_override", "do_stop",
    "do_stop_cmd", "do_stop_override", "do_stop_cmd_override", "do_restart",
    "do_restart_override", "do_restart_prepare", "do_restart_cleanup", "do_reload",
    "do_reload_cmd", "do_reload_cmd_override", "do_reload_prepare", "do_reload_cleanup",
    "do_force_reload", "do_force_reload_override", "do_status", "do_status_override",
    "do_unknown", "do_usage", "do_usage_override",
)  # fmt: skip
# Options without a value that say nothing more than a declaration does.
_HELD = (
    "--start", "-S", "--stop", "-K", "--status", "-T", "--quiet", "-q", "--verbose", "-v",
    "--background", "-b", "--make-pidfile", "-m", "--remove-pidfile", "--test", "-t",
    "--oknodo", "-o",
)  # fmt: skip
# Options with a value: the variable that gives it to the declaration.
_VALUED = {
    "--pidfile": "PIDFILE", "-p": "PIDFILE", "--exec": "DAEMON", "-x": "DAEMON",
    "--startas": "DAEMON", "-a": "DAEMON", "--retry": "", "-R": "", "--name": "NAME", "-n": "NAME",
}  # fmt: skip
_RETRIES = ("TERM/30/KILL/5", "0/30/KILL/5")  # the schedule by default, and what follows it
# Commands that give the program another user, other surroundings, or what it needs.
_COMMANDS = (
    "su", "sudo", "runuser", "setpriv", "setuidgid", "chpst", "start_daemon", "daemon", "nohup",
    "chroot", "nice", "ionice", "cd", "mkdir", "install", "chown", "export", "ulimit", "umask",
)  # fmt: skip
_SEPARATORS = ("&&", "||", ";", "|", "&", ">", "2>", "<", ")", "(", "{", "}", "then", "do", "else")


def acts(text: str) -> bool:
    """Tell whether a script looks at its arguments, and so has verbs of its own."""
    return any(
        any(mark in line for mark in ARGUMENTS) or any(map(_takes, _commands(line)))
        for _, line in _code(text)
    )


def _takes(words: list[str]) -> bool:
    """Tell whether a command takes arguments without a name: "shift", "for verb; do"."""
    return words[0] in _TAKERS or words[0] == "for" and len(words) == 2


def foreign(text: str) -> str:
    """Return the interpreter that a first line names, if that is no shell; else nothing."""
    first = text.partition("\n")[0]
    words = first[2:].split() if first.startswith("#!") else []
    names = [each.rpartition("/")[2] for each in words]
    return "" if any(each in SHELLS for each in names) else " ".join(words)


def refuse_foreign(text: str, file: str) -> None:
    """Raise DeclarationError for a program in another language than the shell's."""
    interpreter = foreign(text)
    if interpreter:
        reason = f"its interpreter is {interpreter}, and a declaration is read by sh(1)"
        raise DeclarationError(reason, file=file, line=1)


def overrides(text: str) -> list[str]:
    """Return the functions by which an init-d-script does a verb in its own way."""
    names = text.replace(" ()", "()")
    return [each for each in OVERRIDES if f"{each}()" in names or f"alias {each}=" in text]


def refuse_overrides(text: str, file: str) -> None:
    """Raise DeclarationError for an init-d-script that does a verb in its own way."""
    found = overrides(text)
    if found:
        raise DeclarationError(f"a declaration cannot hold its own {', '.join(found)}", file=file)


def refuse_verbs(text: str, file: str) -> None:
    """Raise DeclarationError for a declaration that would act on its verb, which it is not told."""
    inside = False  # a function, which has arguments of its own
    for number, line in _code(text):
        inside = "()" in line and "}" not in line or inside and line[:1] != "}"
        first, *rest = line.split(None, 1)
        plain = "".join(line.split("'")[::2])  # awk '{ print $1 }'
        asks = bool(rest) and any(mark in plain for mark in ARGUMENTS)
        if asks and (first == "case" or first in _CONDITIONS and not inside):
            reason = "a declaration is not told its verb; what is done before and after a start or"
            reason += " stop are SERVICE_BEFORE_START and its like"
            raise DeclarationError(reason, first, file=file, line=number)


def refuse_losses(text: str, file: str, found: "Mapping[str, str]") -> None:
    """Raise DeclarationError for what the assignments of a script do not say of it.

    ``found``: the variables as they are when it has come to its end.
    """
    if not acts(text):
        return
    lost = [(number, each) for number, line in _code(text) for each in _lost(line, found)]
    if not any(TOOL in line for _, line in _code(text)):
        raise DeclarationError(f"it starts its program without {TOOL}; {_WAY_OUT}", file=file)
    if lost:
        words = list(dict.fromkeys(each for _, each in lost))
        reason = f"a declaration made of its assignments would lose {', '.join(words)}; {_WAY_OUT}"
        raise DeclarationError(reason, file=file, line=lost[0][0])


_WAY_OUT = "write a declaration, or run the script as it is"


def _code(text: str) -> "Iterator[tuple[int, str]]":
    """Yield number and text of each line that is no comment, with those that continue it."""
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
    """Yield what a line does that a declaration does not."""
    indented = line[:1] in " \t" or TOOL in line
    for words in _commands(line):
        if words[0] in _COMMANDS and indented:
            yield words[0]
        elif words[0].rpartition("/")[2] == TOOL:
            yield from _options(words[1:], found)


def _commands(line: str) -> "Iterator[list[str]]":
    """Yield the words of each simple command of a line, as far as quotes let them be seen."""
    spaced = line.replace(";", " ; ").replace(")", " ) ").replace("$(", " ( ").replace("`", " ; ")
    try:
        words = split(spaced)
    except ValueError:  # a text that goes on in the next line
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
    """Yield the options of a call of start-stop-daemon that would be lost."""
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
    """Tell whether a word is a variable, or what that has become."""
    return word in (f"${variable}", f"${{{variable}}}", found.get(variable))

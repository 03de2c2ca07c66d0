"""The commands of a unit: the program with its variables, hooks, and a reload by a signal."""

import os

from ssd.service.generators.quoting import EXECUTE
from ssd.service.generators.sheet import Directory
from ssd.service.generators.ssd_options import SHELL
from ssd.service.generators.systemd import HOOKS, MAKE, UNTIL
from ssd.service.importing.units import words
from ssd.service.importing.values import signal
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.service.importing.units.reader import Fields, Reader
    from ssd.service.importing.units.words import Command

ENV = "/usr/bin/env"
# Where systemd looks for a program without a directory: systemd.service(5), "COMMAND LINES".
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
MAIN_PID = "MAINPID"
# What systemd sets that is in no unit: systemd.exec(5), "ENVIRONMENT VARIABLES".
AT_START = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TERM")
KILLS = ("/bin/kill", "/usr/bin/kill", "kill")


class Names:
    """What the variables of a command line are: known ones, and whether there may be others.

    known: those of Environment=, and ``fixed`` ones, which systemd sets by other settings. open:
    whether a file or the manager may set more, or others.
    """

    __slots__ = ("known", "fixed", "open")

    def __init__(self, known: "Mapping[str, str]", fixed: "Mapping[str, str]", open: bool) -> None:
        self.known = {**fixed, **known}
        self.fixed = {name: value for name, value in fixed.items() if name not in known}
        self.open = open

    def known_at_start(self, word: str) -> bool:
        """Tell whether a word has variables whose values only a start knows."""
        names = {name for _, _, name in _variables(word) if name and name not in self.fixed}
        return bool(names) if self.open else bool(names & {*AT_START} - {*self.known})


def program(reader: "Reader", names: Names, task: bool) -> "Fields":
    """Return the fields of ExecStart=: a program, or a script. Raises DeclarationError."""
    found = reader.commands("ExecStart")
    if not found:
        raise reader.error("ExecStart", "the unit starts no program")
    if len(found) > 1 and not task:
        raise reader.error("ExecStart", "only Type=oneshot may have several")
    for command in found:
        if "-" in command.prefixes and len(found) == 1:
            reader.note("ExecStart", "without -: a status other than 0 is a failure")
        if "@" in command.prefixes:
            reader.note("ExecStart", "argv[0] is the path of the program")
    if len(found) > 1:
        lines = [
            _line(reader, "ExecStart", each, names) + (" || :" if "-" in each.prefixes else "")
            for each in found
        ]
        return {"script": "".join(f"{line}\n" for line in lines)}
    words = found[0].words
    own = [SHELL, "-e", "-c"]
    if words[:3] == own and words[4:5] == [reader.unit.stem]:
        rest = [each for word in words[5:] for each in _expanded(word, names.known)]
        return {"script": _plain(words[3]), "arguments": rest}
    if words[:3] == [SHELL, "-c", _dollars(EXECUTE)]:
        words = [_plain(words[3]), *words[4:]]
    path = _path(reader, "ExecStart", words[0])
    arguments = words[1:] if path == words[0] or path != ENV else words
    if ":" in found[0].prefixes:
        return {"executable": path, "arguments": arguments}
    if any(map(names.known_at_start, arguments)):
        said = "variables that only a start knows are put in by /bin/sh at each start"
        reader.note("ExecStart", said, lost=False)
        text = " ".join([quote(path), *(_shell_word(word, names) for word in arguments)])
        return {"script": f"set -f\nexec {text}\n"}
    made = [each for word in arguments for each in _expanded(word, names.known)]
    return {"executable": path, "arguments": made}


def _path(reader: "Reader", setting: str, program: str) -> str:
    """Return the path of a program; without a directory it is looked up now."""
    if program.startswith("/"):
        return program
    if "/" in program:
        raise reader.error(setting, f"must be a path from / or a name, not {program!r}")
    for directory in PATH:
        path = f"{directory}/{program}"
        if os.path.isfile(path) and os.access(path, os.X_OK):
            reader.note(setting, f"{program} is {path}, found by this import", lost=False)
            return path
    reader.note(setting, f"{program} is not there: {ENV} will look for it at each start", False)
    return ENV


def _variables(word: str) -> "list[tuple[int, int, str]]":
    """Return start, end and name of each variable of a word, the whole word's or in braces.

    ``$$`` means ``$``: it has an empty name.
    """
    if word.startswith("$") and word[1:2] not in ("{", "$", ""):
        return [(0, len(word), word[1:])]
    found = []
    at = word.find("$")
    while at >= 0:
        end = word.find("}", at)
        if word[at + 1 : at + 2] == "$":
            found.append((at, at + 2, ""))
        elif word[at + 1 : at + 2] == "{" and end > 0:
            found.append((at, end + 1, word[at + 2 : end]))
        at = word.find("$", found[-1][1] if found and found[-1][0] == at else at + 1)
    return found


def _expanded(word: str, known: "Mapping[str, str]") -> "list[str]":
    """Return the words that systemd makes of one, by its variables: systemd.service(5)."""
    found = _variables(word)
    if found and found[0][:2] == (0, len(word)) and not word.startswith(("${", "$$")):
        return words.split(known.get(found[0][2], ""))
    made, at = "", 0
    for start, end, name in found:
        made += word[at:start] + (known.get(name, "") if name else "$")
        at = end
    return [made + word[at:]]


def _shell_word(word: str, names: Names) -> str:
    """Return a word for a shell that has the variables."""
    found = _variables(word)
    if found and found[0][:2] == (0, len(word)) and not word.startswith(("${", "$$")):
        name = found[0][2]
        if name in names.fixed:
            return join(_expanded(word, names.fixed))
        return f"${{{name}-}}" if name.isidentifier() else ""
    if not any(name and name not in names.fixed for _, _, name in found):
        return quote("".join(_expanded(word, names.fixed)))
    made, at = "", 0
    for start, end, name in found:
        made += _in_quotes(word[at:start])
        if name in names.fixed:
            made += _in_quotes(names.fixed[name])
        else:
            made += f"${{{name}-}}" if name else "\\$"
        at = end
    return f'"{made}{_in_quotes(word[at:])}"'


def _in_quotes(text: str) -> str:
    """Return a text for within double quotes."""
    return "".join(f"\\{each}" if each in '$`"\\' else each for each in text)


def _line(reader: "Reader", setting: str, command: "Command", names: Names) -> str:
    """Return a command as a line of shell."""
    path = _path(reader, setting, command.words[0])
    first = [path] if path != ENV else [path, command.words[0]]
    rest = command.words[1:]
    plain = ":" in command.prefixes
    return " ".join([join(first), *(quote(w) if plain else _shell_word(w, names) for w in rest)])


# Hooks ---------------------------------------------------------------------------------


def hooks(reader: "Reader", names: Names, made: "Fields") -> "Fields":
    """Return the hooks, and what the generator wrote as commands; ``made`` has the other fields.

    Raises DeclarationError.
    """
    found: Fields = {}
    for field, setting in HOOKS.items():
        lines = []
        for command in reader.commands(setting):
            if setting == "ExecStartPre" and _directory(command) is not None:
                found.setdefault("directories", [])
                assert isinstance(found["directories"], list)
                found["directories"].append(_directory(command))
            elif setting == "ExecStartPost" and _probe(command):
                found["probe"] = _probe(command)
            else:
                lines.append(_hook(reader, setting, command, names, made))
        if lines:
            found[field] = "\n".join(lines)
    if made.get("root") and not reader.value("RootDirectoryStartOnly", words.flag, False):
        for field in HOOKS:
            if field in found:
                reader.note(HOOKS[field], "runs outside of the root directory")
    return found


def _directory(command: "Command") -> "dict[str, str] | None":
    """Return the directory that our generator's command makes, None for another command."""
    words = command.words
    if words[:5] != [SHELL, "-e", "-c", _dollars(MAKE), "sh"] or len(words) != 8:
        return None
    user, _, group = _plain(words[7]).partition(":")
    owner = Directory(_plain(words[5]), words[6], user, group)
    made = {"path": owner.path, "mode": owner.mode}
    if user and user != "root":
        made["user"] = user
    if group:
        made["group"] = group
    return made


def _probe(command: "Command") -> "list[str]":
    """Return the words that our generator's command waits for, empty for another command."""
    words = command.words
    if words[:4] == [SHELL, "-c", _dollars(UNTIL), "sh"]:
        return [_plain(word) for word in words[4:]]
    return []


def _dollars(text: str) -> str:
    return text.replace("$", "$$")


def _plain(word: str) -> str:
    return word.replace("$$", "$")


def _hook(reader: "Reader", setting: str, command: "Command", names: Names, made: "Fields") -> str:
    """Return the shell text of a command before or after a start or a stop."""
    words = command.words
    own = [SHELL, "-e", "-c"]
    if words[:3] == own and words[4:] == [reader.unit.stem] and command.privileged:
        return _plain(words[3])
    line = _line(reader, setting, command, names)
    inside = made.get("working_directory")
    if MAIN_PID in line:
        line = _main_pid(reader, setting, line, made)
    user, group = made.get("user"), made.get("group")
    if (user or group) and not command.privileged and not reader.asks_for_root():
        line = f"{_as(str(user or ''), str(group or ''))} {line}"
    if inside:  # in a subshell: the next line begins in / again
        line = f"(cd {quote(str(inside))} && {line})"
    return f"{line} || :" if "-" in command.prefixes else line


def _main_pid(reader: "Reader", setting: str, line: str, made: "Fields") -> str:
    """Put in the pid that systemd gives its commands: here it is in the pidfile."""
    pidfile = made.get("pidfile", f"/run/{reader.unit.stem}.pid")
    if pidfile == "none":
        reader.note(setting, f"${MAIN_PID} is empty: there is no pidfile")
    known = "" if pidfile == "none" else f"$(cat {quote(str(pidfile))})"
    return line.replace(f"${{{MAIN_PID}-}}", known)


def _as(user: str, group: str) -> str:
    """Return the command that runs another one as a user, as User= and Group= do."""
    words = ["setpriv"]
    if user:
        primary = quote(group) if group else f'"$(id -g {quote(user)})"'
        return " ".join([*words, "--reuid", quote(user), "--regid", primary, "--init-groups", "--"])
    return " ".join([*words, "--regid", quote(group), "--clear-groups", "--"])


def reload_signal(reader: "Reader") -> str:
    """Return the signal of ExecReload=, none for another command."""
    found = reader.commands("ExecReload")
    sent = [name for name in map(_sent, found) if name]
    if len(sent) == 1:
        if len(found) > 1:
            told = f"only {sent[0]} is sent: what runs besides is left out"
            reader.note("ExecReload", told)
        return sent[0]
    if reader.text("Type") == "notify-reload":
        return reader.value("ReloadSignal", signal, "HUP").removeprefix("-")
    if found:
        reader.note("ExecReload", "a reload can only send a signal; reload_signal says which")
    return "none"


def _sent(command: "Command") -> str:
    """Return the signal that a command sends to the main process, empty if it sends none."""
    words = command.words
    if words[0] not in KILLS or words[-1] not in ("$MAINPID", "${MAINPID}"):
        return ""
    options = [word for word in words[1:-1] if word not in ("-s", "--signal", "--")]
    if not options:
        return "TERM"
    try:
        return signal(options[0].lstrip("-")).removeprefix("-") if len(options) == 1 else ""
    except ValueError:
        return ""  # it is noted as any other command


def leave_to_root(reader: "Reader", made: "Fields") -> None:
    """Take from the fields what ``+`` and ``!`` before a program's path keep from it.

    systemd.service(5), "COMMAND LINES": neither user nor group, and with ``+`` no limit of
    privileges. They stay those of the directories and the hooks.
    """
    found = reader.commands("ExecStart")
    marked = [command for command in found if command.privileged]
    taken = ["user", "group", "login"]
    if any("+" in command.prefixes for command in marked):
        taken += ("capabilities", "no_new_privs", "securebits")
    if not marked or not any(name in made for name in taken):
        return
    if len(marked) < len(found):
        reader.note("ExecStart", "all commands run as the same user, also those with + or !")
        return
    for name in taken:
        made.pop(name, None)
    told = f"root runs it, as {marked[0].prefixes} says: User= is for its directories and hooks"
    reader.note("ExecStart", told, lost=False)

"""What in a shell file looks meant and has no effect: said once, and the file counts all the same.

Only files that are read as declarations, and the administrator's beside them, are looked at.
"""

import os

from ssd.service.sources.debian import INIT_D, LETTERS, OWN, VARIABLES, assigned, meant, uses
from ssd.service.sources.openstack import VARIABLES as OPENSTACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    # Its text, the administrator's files that it has read, the variables that all of them set,
    # whether OpenStack's words mean something, and what the shell complained of.
    Source = tuple[str, list[str], Mapping[str, str], bool, str]

# Words of other people's scripts, and which of ours says the same.
WORDS = {
    "DAEMON_ARGS": ("DAEMON_OPTS", "DAEMON_OPTIONS", "DAEMON_OPT", "DAEMONARGS", "DAEMONOPTS",
                    "OPTIONS", "OPTS", "ARGS", "EXTRA_ARGS", "EXTRA_OPTS", "PARAMS"),
    "DAEMON": ("EXEC", "PROGRAM", "PROG", "BINARY", "COMMAND", "DAEMON_BIN", "DAEMON_PATH"),
    "DESC": ("DESCRIPTION",),
    "PIDFILE": ("PID_FILE", "PID", "DAEMON_PID", "DAEMON_PIDFILE", "PIDPATH"),
    "RELOAD_SIGNAL": ("RELOADSIG", "RELOAD_SIG"),
    "SERVICE_USER": ("USER", "DAEMON_USER", "DAEMONUSER", "RUN_AS", "RUNAS", "RUN_AS_USER",
                     "RUNASUSER", "RUNUSER", "RUN_USER", "USERNAME", "CHUID", "SYSTEM_USER"),
    "SERVICE_GROUP": ("GROUP", "DAEMON_GROUP", "DAEMONGROUP", "RUN_GROUP", "SYSTEM_GROUP"),
    "SERVICE_WORKING_DIRECTORY": ("CHDIR", "WORKDIR", "WORKING_DIR", "WORKING_DIRECTORY"),
    "SERVICE_ROOT": ("CHROOT",),
    "SERVICE_UMASK": ("UMASK", "DAEMON_UMASK"),
    "SERVICE_NICE": ("NICE", "NICELEVEL", "NICE_LEVEL", "DAEMON_NICE"),
    "SERVICE_OUTPUT": ("OUTPUT", "STDOUT"),
    "SERVICE_LOG_FILE": ("LOGFILE", "LOG_FILE"),
    "SERVICE_LIMITS": ("ULIMIT", "LIMITS", "MAX_OPEN_FILES", "NOFILE"),
    "SERVICE_ENVIRONMENT": ("ENVIRONMENT", "ENV", "DAEMON_ENV"),
    "SERVICE_STOP_SCHEDULE": ("RETRY", "STOP_SIGNAL", "KILL_SIGNAL", "STOPSIGNAL",
                              "STOP_TIMEOUT", "STOP_SCHEDULE"),
}  # fmt: skip
MEANT = {word: ours for ours, words in WORDS.items() for word in words}
# Whether it is started at all; links in the runlevels say so here.
SWITCHES = ("ENABLED", "ENABLE", "DISABLED", "START", "START_DAEMON", "RUN_DAEMON", "RUN")
MISSING = (["not found"], ["command not found"])  # as dash and bash say it

_EVERYWHERE = ("DEFAULT_DIR", "ROOT_DIR", "SCRIPTNAME")  # OpenStack's words that all files have


def doubts(file: str, source: "Source") -> tuple[str, ...]:
    """Return what has no effect in a file and in those of the administrator, in sentences.

    Raises OSError.
    """
    text, files, found, openstack, complaints = source
    texts = [(file, text)]
    for path in files:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as opened:
            texts.append((path, opened.read()))
    whole = "\n".join(each for _, each in texts)
    known = OPENSTACK if openstack else _EVERYWHERE
    told = [
        said for path, each in texts for said in _of_text(path, each, whole, known, path != file)
    ]
    lines = dict.fromkeys(complaints.splitlines())  # a loop says the same again and again
    told += [said for each in lines for said in _of_complaint(file, each)]
    return (*told, *(f"{file}: {said}" for said in _of_values(found)))


def _of_text(
    path: str, text: str, whole: str, known: tuple[str, ...], beside: bool
) -> "Iterator[str]":
    if "\r\n" in text:
        yield f"{path}: its lines end in carriage returns, which become a part of the values"
    for number, name in assigned(text):
        ours = None if name in known else _word_for(name, whole, beside)
        if ours is not None:
            yield f"{path}:{number}: {name} has no effect; {ours}"


def _word_for(name: str, whole: str, beside: bool) -> str | None:
    """Say what to use in a name's place; None for one that is known, used, or like no other."""
    if name in INIT_D or name in OWN or uses(whole, name):
        return None
    if name in MEANT:
        return f"did you mean {MEANT[name]}?"
    if name in SWITCHES:
        return "update-rc.d(8) enables and disables a service"
    if name in OPENSTACK:
        return "it is for a service of OpenStack, which sets PROJECT_NAME"
    near = meant(name) if beside and name not in VARIABLES else None
    return near and f"did you mean {near}?"


def _of_complaint(file: str, line: str) -> "Iterator[str]":
    """Tell of a command that the shell has not found: "declare", or the NAME of "NAME = value"."""
    name, number, *words = [*line.split(": "), ""]
    number = number.removeprefix("line ")  # bash
    *sourced, word = words[:-2] or [""]
    if name != file or not number.isdigit() or words[-2:-1] not in MISSING or not word:
        return
    blank = "; an assignment has no blank before its =" if not word.strip(LETTERS) else ""
    yield f"{''.join(sourced) or file}:{number}: {word} is no command that sh(1) knows{blank}"


def _of_values(found: "Mapping[str, str]") -> "Iterator[str]":
    daemon = found.get("DAEMON", "")
    if " " in daemon and not os.path.exists(daemon):
        yield f"DAEMON: {daemon!r} is one path; arguments belong in DAEMON_ARGS"
    if any(mark in found.get("DAEMON_ARGS", "") for mark in "'\""):
        yield "DAEMON_ARGS is taken apart at blanks, quotes or not; SERVICE_ARGUMENTS has quotes"

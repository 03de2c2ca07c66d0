"""Find the parts of a shell declaration that have no effect, to warn about them.

It examines files that are read as declarations, and the administrator's files for them.
"""

import os

from ssd.service.sources.debian import INIT_D, LETTERS, OWN, VARIABLES, assigned, meant, uses
from ssd.service.sources.openstack import VARIABLES as OPENSTACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    # The text, the administrator's files that it has read, the variables that all of them set,
    # whether OpenStack's variables have a meaning, and the complaints of the shell.
    Source = tuple[str, list[str], Mapping[str, str], bool, str]

# our variable -> variables of other scripts with the same meaning
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
# They enable a service; here links in the runlevels do that.
SWITCHES = ("ENABLED", "ENABLE", "DISABLED", "START", "START_DAEMON", "RUN_DAEMON", "RUN")
MISSING = (["not found"], ["command not found"])  # the messages of dash and bash

_EVERYWHERE = (
    "DEFAULT_DIR",
    "ROOT_DIR",
    "SCRIPTNAME",
)  # those of OpenStack for all files


def doubts(file: str, source: "Source") -> tuple[str, ...]:
    """Return a warning for each part of a file, and of the administrator's, without effect.

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
    lines = dict.fromkeys(complaints.splitlines())  # a loop repeats its complaints
    told += [said for each in lines for said in _of_complaint(file, each)]
    return (*told, *(f"{file}: {said}" for said in _of_values(found)))


def _of_text(
    path: str, text: str, whole: str, known: tuple[str, ...], beside: bool
) -> "Iterator[str]":
    if "\r\n" in text:
        yield f"{path}: lines end in carriage returns, which become part of the values"
    for number, name in assigned(text):
        ours = None if name in known else _word_for(name, whole, beside)
        if ours is not None:
            yield f"{path}:{number}: {name} has no effect; {ours}"


def _word_for(name: str, whole: str, beside: bool) -> str | None:
    """Return what to use instead of a variable; None if it is known, used, or like no other."""
    if name in INIT_D or name in OWN or uses(whole, name):
        return None
    if name in MEANT:
        return f"did you mean {MEANT[name]}?"
    if name in SWITCHES:
        return "update-rc.d(8) enables and disables a service"
    if name in OPENSTACK:
        return "it is for services of OpenStack, which set PROJECT_NAME"
    near = meant(name) if beside and name not in VARIABLES else None
    return near and f"did you mean {near}?"


def _of_complaint(file: str, line: str) -> "Iterator[str]":
    """Warn of an unknown command: "declare", or the NAME of "NAME = value"."""
    name, number, *words = [*line.split(": "), ""]
    number = number.removeprefix("line ")  # bash
    *sourced, word = words[:-2] or [""]
    if name != file or not number.isdigit() or words[-2:-1] not in MISSING or not word:
        return
    blank = "; an assignment must have no blank before =" if not word.strip(LETTERS) else ""
    yield f"{''.join(sourced) or file}:{number}: sh(1) does not know the command {word}{blank}"


def _of_values(found: "Mapping[str, str]") -> "Iterator[str]":
    daemon = found.get("DAEMON", "")
    if " " in daemon and not os.path.exists(daemon):
        yield f"DAEMON: {daemon!r} is one path; arguments belong in DAEMON_ARGS"
    if any(mark in found.get("DAEMON_ARGS", "") for mark in "'\""):
        yield "DAEMON_ARGS is split at blanks, also inside quotes; SERVICE_ARGUMENTS is not"

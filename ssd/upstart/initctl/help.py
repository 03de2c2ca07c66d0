"""The texts of ``--help``, ``--version`` and ``help``; their first lines are the original's."""

from ssd._version import __version__
from ssd.statuses import SUCCESS
from ssd.upstart.initctl.asking import say
from ssd.upstart.initctl.commands import COMMANDS
from ssd.upstart.initctl.options import COMMON, MAKE_LINKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.options import Call, Row

UPSTART = "1.13.2"  # the version of Upstart that the commands are like

# What each command does, in groups.
GROUPS = {
    "Job": {
        "start": "start a job, and show its state",
        "stop": "stop a job, and show its state",
        "restart": "stop a job and start it again, as it was read when it started",
        "reload": "send a job its reload signal, HUP",
        "status": "show the state of a job",
        "list": "show the states of all jobs",
    },
    "Event": {
        "emit": "emit an event, and wait for the jobs that it starts and stops",
        "telinit": "emit the event runlevel; q reads the files of jobs anew",
    },
    "Environment": {
        "get-env": "show a variable that jobs get",
        "list-env": "show all variables that jobs get",
        "set-env": "set variables",
        "unset-env": "remove variables",
        "reset-env": "undo all changes of variables",
    },
    "Other": {
        "show-config": "show what jobs emit, and what they start and stop on",
        "check-config": "name conditions that can never hold",
        "usage": "show how a job wants to be started",
        "reload-configuration": "read the files of jobs anew",
        "log-priority": "show or set the lowest level of init's messages",
        "version": "show which init answers",
        "notify-disk-writeable": "write the output that was kept while there was no disk",
        "notify-dbus-address": "do nothing: there is no bus",
        "notify-cgroup-manager-address": "do nothing: there is no manager of cgroups",
        "help": "show this list",
    },
}
OPTIONS = {
    "no-wait": "return at once, and not when it is done",
    "enumerate": "name each event and its job alone",
    "ignore-events": "take these events, between commas, for known",
    "warn": "name also what an `or' makes good",
    "global": "in a job: mean the variables of all jobs",
    "retain": "leave a variable alone that is set already",
    "e": "add a variable to the event",
    "t": "ignored",
    "session": "mean the caller's own supervisor",
    "system": "mean root's supervisor",
    "dest": "ignored: there is no bus",
    "user": "mean the caller's own supervisor",
    "quiet": "print errors only",
    "verbose": "undo --quiet",
    "debug": "undo --quiet",
    "help": "print help information",
    "version": "print version",
    "make-links": "make links here by which the commands are found, and upstart-init",
}
MORE = {
    "log-priority": "PRIORITY is debug, info, message, warn, error or fatal.\n",
    "telinit": "RUNLEVEL is one of 0123456S, or q.\n",
}
WIDTH = 32  # of the column of options and commands


def perform(call: "Call") -> int:
    """Show the list of commands."""
    parts = []
    for title, commands in GROUPS.items():
        lines = "".join(_row(name, text) for name, text in commands.items())
        parts.append(f"{title} commands:\n{lines}\n")
    say(
        call, f"{''.join(parts)}Try `{call.program} COMMAND --help' for the options of a command.\n"
    )
    return SUCCESS


def answer(asked: str, program: str, command: str) -> str:
    """Return the text of ``--version`` or ``--help``.

    command: the one that it was asked of, "" if it was given before any.
    """
    if asked == "version":
        return f"{program} (upstart {UPSTART})\nfrom ssd {__version__}, in place of Upstart\n"
    if not command:
        rows: tuple[Row, ...] = (MAKE_LINKS, *COMMON)
        words = "[OPTION]... COMMAND [OPTION]... [ARG]..."
        text = "Ask the supervisor of Upstart jobs (ssd-supervise --upstart) to do COMMAND.\n"
        text += f"Try `{program} help' for the commands.\n"
    else:
        arguments, own, _ = COMMANDS[command]
        rows = (*own, *COMMON)
        words = " ".join(("[OPTION]...", arguments)).rstrip()
        words = words if program == command else f"{command} {words}"
        (does,) = (group[command] for group in GROUPS.values() if command in group)
        text = f"{does[0].upper()}{does[1:]}.\n{MORE.get(command, '')}"
    options = "".join(_option(row) for row in rows)
    return f"Usage: {program} {words}\n{text}\nOptions:\n{options}"


def _option(row: "Row") -> str:
    letter, name, value = row
    shown = f"-{letter}, " if letter and name else f"-{letter}" if letter else "    "
    shown += f"--{name}" if name else ""
    shown += (f"={value}" if name else f" {value}") if value else ""
    return _row(shown, OPTIONS[name or letter])


def _row(shown: str, text: str) -> str:
    return f"  {shown}{' ' * max(2, WIDTH - 2 - len(shown))}{text}\n"

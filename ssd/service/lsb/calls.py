"""The LSB functions with options, as commands: they print their result and return a status.

Each takes (say, words): ``say`` writes a line to standard error, after the caller's name.
"""

import os

from ssd.errors import AlreadyRunning, Error, NotPermitted, NotStopped
from ssd.statuses import FAILED, FATAL, INVALID, NOT_PRIVILEGED, SUCCESS, UNKNOWN
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.matching import Process
    from ssd.service.lsb.pids import Found

    Say = Callable[[str], None]


def pidofproc(say: "Say", words: list[str]) -> int:
    """Print the pids on one line, the newest first; return the LSB status."""
    found = _find(say, words)
    if found.pids:
        write(1, " ".join(map(str, found.pids)) + "\n")
    return found.status


def status_of_proc(say: "Say", words: list[str]) -> int:
    """Print the state of the daemon; return its LSB status."""
    from ssd.service.lsb.pids import tell_status

    options, operands = _read(say, "status_of_proc", "p:", words)
    pidfile = ["-p", options["p"]] if options.get("p") else []
    daemon = [word for word in operands[:1] if word]
    found = _find(say, [*pidfile, "--", *daemon])
    return tell_status(found.status, "".join(operands[1:2]))


def killproc(say: "Say", words: list[str]) -> int:
    """Stop or signal a daemon; return 0 or the LSB status of the failure."""
    from ssd.schedule import ScheduleError
    from ssd.service.lsb import daemons

    options, operands = _read(say, "killproc", "p:", words)
    try:
        path, signal = [*operands, "", ""][:2]
        return daemons.killproc(path, signal, options.get("p"))
    except ScheduleError as error:
        say(f"killproc: {error}; give a number or a name such as TERM")
        return INVALID
    except ValueError:
        say("killproc: usage: killproc [-p PIDFILE] PATHNAME [SIGNAL]")
        return INVALID
    except NotStopped as error:
        say(f"killproc: {_listed(error.processes)} did not end")
        return FAILED
    except NotPermitted as error:
        say(f"killproc: no permission to signal {_listed(error.processes)}")
        return NOT_PRIVILEGED
    except Error as error:
        say(f"killproc: {_described(error)}")
        return FAILED


def start_daemon(say: "Say", words: list[str]) -> int:
    """Become the daemon; return 0 if it already runs, 2 if it cannot start."""
    from ssd.cli.values import leading_number
    from ssd.sentences import at_stage
    from ssd.service.lsb.daemons import plan_start
    from ssd.starting import Start

    options, operands = _read(say, "start_daemon", "fn:p:", words)
    operands = operands[1:] if operands[:1] == ["--"] else operands
    if not operands or not operands[0]:
        say("start_daemon: usage: start_daemon [-f] [-n NICE] [-p PIDFILE] PATHNAME [ARGUMENT...]")
        return INVALID
    match, command = plan_start(
        *operands,
        pidfile=options.get("p"),
        nice=leading_number(options.get("n", "0")),
        force="f" in options,
    )
    try:
        Start(
            match,
            command,
            background=False,
            make_pidfile=False,
            warn=lambda stage, detail, reason: say(
                f"start_daemon: {at_stage(stage, detail, reason)}"
            ),
            say=lambda event, *values: None,
        ).run()
    except AlreadyRunning:
        return SUCCESS
    except Error as error:
        say(f"start_daemon: {_described(error)}")
    return FATAL


def get_lsb_header_val(say: "Say", words: list[str]) -> int:
    """Print the values of a keyword in a script's header; return 1 without such a file."""
    from ssd.service.lsb.scripts import get_lsb_header_val

    script, keyword = [*words, "", ""][:2]
    if not os.path.isfile(script) or not keyword:
        return FAILED
    try:
        found = get_lsb_header_val(script, keyword)
    except OSError as error:
        say(f"get_lsb_header_val: {script}: {error.strerror}")
        return INVALID
    write(1, "".join(f"{value}\n" for value in found))
    return SUCCESS


def init_is_upstart(say: "Say", words: list[str]) -> int:
    """Return 0 if Upstart's jobs run here, 1 if not."""
    from ssd.service.lsb.scripts import init_is_upstart

    return SUCCESS if init_is_upstart() else FAILED


def _read(
    say: "Say", function: str, known: str, words: list[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the options and operands of a call, and report invalid words."""
    options, operands, complaints = getopts(known, words)
    for complaint in complaints:
        say(f"{function}: {complaint}")
    return options, operands


def getopts(known: str, words: list[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Parse words as getopts in sh does; return the options, the operands, and complaints.

    ``known``: letters, with a colon after those that need a value. Options end at the first
    operand, a single dash or ``--``. Unknown options and missing values become complaints, and
    the parsing continues.
    """
    options: dict[str, str] = {}
    complaints: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        cluster = rest.pop(0)[1:]
        if cluster == "-":
            break
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            place = known.find(letter)
            if place < 0 or letter == ":":
                complaints.append(f"unknown option -{letter}")
            elif known[place + 1 : place + 2] != ":":
                options[letter] = ""
            elif cluster or rest:
                options[letter] = cluster or rest.pop(0)
                cluster = ""
            else:
                complaints.append(f"option -{letter} needs a value")
    return options, rest, complaints


def _find(say: "Say", words: list[str]) -> "Found":
    """Run pidofproc with words; status 4 after an error."""
    from ssd.service.lsb import pids

    options, operands = _read(say, "pidofproc", "p:", words)
    if len(operands) != 1:
        say("invalid arguments")
        return pids.Found(UNKNOWN)
    try:
        # Omit the calling shell: its script may have the name of the daemon.
        return pids.pidofproc(operands[0], options.get("p"), omit=(os.getppid(),))
    except Error as error:
        say(f"pidofproc: {_described(error)}")
    return pids.Found(UNKNOWN)


def _described(error: Error) -> str:
    """Return the sentence for an exception."""
    from ssd.sentences import describe

    return describe(error)


def _listed(processes: "list[Process]") -> str:
    return "process " + " ".join(str(process.pid) for process in processes)

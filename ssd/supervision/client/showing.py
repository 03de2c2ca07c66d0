"""Show what a supervisor answers to an action as the console lines of ``ssd.service.verbs``."""

import errno

from ssd import statuses
from ssd.service import verbs
from ssd.stdio import write
from ssd.supervision.client import NoAnswer, Unreachable
from ssd.supervision.control.answers import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.console import Console
    from ssd.supervision.client import Connection

    Facts = dict[str, object]

ACTIONS = ("start", "stop", "restart", "try-restart", "reload", "force-reload")
STDOUT, STDERR = 1, 2
_STEPS = {"start": verbs.START, "stop": verbs.STOP, "reload": verbs.RELOAD}


def fail(program: str, error: "Unreachable | NoAnswer", status: int = statuses.FAILED) -> int:
    """Say that a supervisor cannot be asked, or has not answered; return the status."""
    write(STDERR, f"{program}: {error}\n")
    denied = isinstance(error, Unreachable) and error.errno in (errno.EACCES, errno.EPERM)
    return statuses.NOT_PRIVILEGED if denied else status


def show_action(
    program: str, verb: str, connection: "Connection", **fields: object
) -> "int | None":
    """Show an action on one service as a console line, and return its status.

    The line begins when the supervisor has begun. Returns None if the supervisor does not have the
    service, or the service not that verb. Raises NoAnswer.
    """
    console: Console | None = None
    done = verbs.Move(None, status=statuses.FAILED)
    said = ""
    try:
        for line in connection.ask(verb, **fields):
            if "begun" in line:
                verb = str(line["begun"])
                console = _begin(verb, line)
            elif line.get("error") == "unknown-service" or _lacks(verb, line):
                return None
            elif "ok" in line:
                done, said = _judge(program, verb, line)
    finally:
        if console is not None:
            _end(console, done)
    write(STDERR, said)
    return done.status


def _lacks(verb: str, line: "Facts") -> bool:
    """Tell whether a service lacks a verb; the usage says which ones it has."""
    return line.get("error") == "unsupported" and verb != "signal"


def _begin(verb: str, line: "Facts") -> "Console":
    from ssd.service.console import Console

    console = Console(STDOUT)
    name = str(line["name"])
    begun = verbs.LINES.get(verb, "Signalling {}")
    console.begin(begun.format(line.get("description") or name), name)
    return console


def _end(console: "Console", done: verbs.Move) -> None:
    if done.words:
        console.progress(done.words)
    console.end(min(done.status, 1))


def _judge(program: str, verb: str, line: "Facts") -> "tuple[verbs.Move, str]":
    """Return how an action ended, and what to complain of."""
    outcome = line.get("outcome")
    if outcome is None:  # the request itself failed
        denied = line.get("error") == "denied"
        status = statuses.NOT_PRIVILEGED if denied else statuses.FAILED
        return verbs.Move(None, status=status), f"{program}: {line.get('message')}\n"
    done = move(verb, str(outcome))
    said = ""
    if outcome == verbs.ABSENT:
        said = f"{line.get('name')}: {line.get('message')}\n"
    elif line.get("message") and not line.get("ok") and outcome != verbs.NOTHING:
        said = f"{program}: {line.get('name')}: {line['message']}\n"
    lines = line.get("lines")
    if isinstance(lines, list) and lines:
        said += "its last lines:\n" + "".join(f"    {each}\n" for each in lines)
    return done, plain(said)


def move(verb: str, outcome: str) -> verbs.Move:
    """Return the words that end the console line of a verb, and its exit status.

    The verb is what was done: not force-reload.
    """
    if verb == "signal":
        return _signalled(outcome)
    if outcome == "accepted":
        return verbs.Move(None)
    if outcome == "unsupported":
        return verbs.Move(None, "", statuses.UNIMPLEMENTED)
    if outcome == verbs.NOTHING:
        return verbs.decide(verb, verbs.LOOK, verbs.STOPPED)
    if outcome == verbs.ABSENT:
        return verbs.decide("start", verbs.LOOK, verbs.ABSENT)  # the same for each that starts
    if outcome == verbs.RUNNING:
        return verbs.decide("start", verbs.LOOK, verbs.RUNNING)
    if outcome == verbs.SURVIVED:
        return verbs.decide("stop", verbs.STOP, outcome)
    return verbs.decide(verb, _STEPS.get(verb, verbs.START), outcome)


def _signalled(outcome: str) -> verbs.Move:
    if outcome == verbs.NOTHING:
        return verbs.Move(None, "is not running", statuses.NOT_RUNNING)
    if outcome == verbs.DENIED:
        return verbs.Move(None, "", statuses.NOT_PRIVILEGED)
    well = outcome == verbs.DONE
    return verbs.Move(None, "", statuses.SUCCESS if well else statuses.FAILED)

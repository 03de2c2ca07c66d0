"""The verbs of ssd-service for what a supervisor has: ask it, and show what it answers.

The console lines and exit statuses are those of ``ssd.service.verbs``, whoever does the work. Each
function returns None if no supervisor has the service: then ssd-service does the verb itself.
"""

import os

from ssd import statuses
from ssd.service import WORDS
from ssd.stdio import write
from ssd.supervision.client import NoAnswer, Unreachable, directories, is_declared, reach
from ssd.supervision.control import answers
from ssd.supervision.places import UPSTART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ssd.service.verbs.fleet import Fleet
    from ssd.supervision.client import Connection

    class Call(Protocol):
        """How ssd-service was called: the directory is given if it is ``elsewhere``."""

        program: str
        directory: str
        elsewhere: bool

    MakeFleet = Callable[[Any, str, list[str]], Fleet]


def perform(
    call: "Call", name: str, words: "list[str]", file: "str | None", fleet: "MakeFleet"
) -> "int | None":
    """Have the supervisor of a directory do a verb to a service; return the exit status.

    name: a service, all, or a word of ``asking_words``. file: the declaration of that name must be
    this file; None: any. fleet: makes the fleet of services of a directory that its supervisor
    does not have. Returns None if ssd-service must do the verb itself.
    """
    program, given = call.program, call.directory if call.elsewhere else ""
    if name == "all":
        from ssd.supervision.client import asking_all

        def rest(directory: str, names: "list[str]") -> "Fleet":
            return fleet(call, directory, names)

        return asking_all.perform(program, given, words, rest)
    if name in WORDS and file is None:
        from ssd.supervision.client import asking_words

        if not asking_words.is_service(given, name, words):
            return asking_words.main(program, given, name, words)
    if "--json" in words or "--plan" in words:
        from ssd.supervision.client import telling

        return telling.one(program, given, name, words, file)
    verb = "restart" if words == ["--full-restart"] else words[0] if len(words) == 1 else ""
    if words == ["status"]:
        verb = ""
    else:
        from ssd.supervision.client.showing import ACTIONS

        if verb not in ACTIONS:
            return None
    for each in directories(given):
        if each == UPSTART and (file is not None or is_declared(name, given)):
            break
        status = _perform(program, each, name, verb, file)
        if status is not None:
            return status
    return None


def _perform(
    program: str, directory: str, name: str, verb: str, file: "str | None"
) -> "int | None":
    """Do a verb with the supervisor of one directory; None if it does not have the service."""
    try:
        connection = reach(directory)
        if connection is None:
            return None
        if not verb:
            return _status(connection, name, file)
        from ssd.supervision.client.showing import show_action

        return show_action(program, verb, connection, name=name, file=file)
    except (Unreachable, NoAnswer) as error:
        if not verb and isinstance(error, Unreachable):
            return None  # everybody may look for the process
        from ssd.supervision.client.showing import fail

        return fail(program, error, statuses.FAILED if verb else statuses.UNKNOWN)


def _status(connection: "Connection", name: str, file: "str | None") -> "int | None":
    """Show the status of a service, and return it."""
    (line,) = connection.ask("status", name=name, file=file)
    found = line.get("service")
    if not isinstance(found, dict):
        if line.get("error") in ("unknown-service", "denied"):
            return None
        raise Unreachable(connection.path, str(line.get("message")))
    status = answers.status_of(found)
    write(1, answers.sentence(found, _memory(found.get("pid"))))
    return status


def _memory(pid: object) -> "int | None":
    """Return the resident set of a process in bytes, None if it cannot be read."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):  # it has just ended, or is hidden
        return None

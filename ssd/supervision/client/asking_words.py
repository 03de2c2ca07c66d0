"""The words of ssd-service that ask a supervisor: events, log, signal, update, upgrade."""

from ssd import statuses
from ssd.service import DIRECTORY
from ssd.service.verbs import VERBS
from ssd.signals import signal_number
from ssd.stdio import write, write_all
from ssd.supervision.client import Connection, NoAnswer, Unreachable, directories, find
from ssd.supervision.client.showing import STDERR, STDOUT, fail, show_action
from ssd.supervision.control.answers import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Facts = dict[str, object]

USAGES = {
    "events": "events [-n NUMBER] [--follow] [--json]",
    "log": "log NAME [-n NUMBER] [--follow]",
    "signal": "signal NAME SIGNAL",
    "update": "update",
    "upgrade": "upgrade",
}


class Usage(Exception):
    """The words after the first one are not those that it takes."""


class Words:
    """The words after the first one: ``names``, a ``number`` (None unless given) and ``flags``."""

    def __init__(self, first: str, rest: "Iterable[str]") -> None:
        self.names: list[str] = []
        self.flags: set[str] = set()
        self.number: int | None = None
        usage = USAGES[first]
        left = list(rest)
        while left:
            word = left.pop(0)
            if word in ("-f", "--follow", "--json"):
                word = "--follow" if word == "-f" else word
                self._check(word in usage)
                self.flags.add(word)
            elif word.startswith("-n"):
                self._check("-n" in usage and (len(word) > 2 or bool(left)))
                self._count(word[2:] or left.pop(0))
            else:
                self._check(word[:1] != "-")
                self.names.append(word)
        wanted = [word for word in usage.split()[1:] if word in ("NAME", "SIGNAL")]
        self._check(len(self.names) == len(wanted))

    def _count(self, text: str) -> None:
        self._check(text.isascii() and text.isdigit() and len(text) < 10)
        self.number = int(text)

    def _check(self, well: bool) -> None:
        if not well:
            raise Usage


def main(program: str, given: str, first: str, rest: "list[str]") -> int:
    """Do one of these words, and return the exit status. ``given``: the directory, or ""."""
    try:
        words = Words(first, rest)
    except Usage:
        write(STDERR, f"Usage: {program} {USAGES[first]}\n")
        return statuses.INVALID
    try:
        for _, connection in find(given, "".join(words.names[:1])):
            status = _WORDS[first](program, connection, words)
            if status is not None:
                return status
        return _alone(program, given or DIRECTORY, first, words)
    except (NoAnswer, Unreachable) as error:
        return fail(program, error)


def is_service(directory: str, name: str, rest: "list[str]") -> bool:
    """Tell whether a verb of a service follows its name."""
    if rest[:1] != ["--full-restart"] and not (rest and rest[0] in VERBS):
        return False
    from ssd.service.initscripts.script import find as script
    from ssd.service.sources import locate

    return any(locate(name, each) for each in directories(directory)) or script(name) is not None


def _alone(program: str, directory: str, first: str, words: Words) -> int:
    """Do without a supervisor what can be done, or say that there is none."""
    if first == "log" and "--follow" not in words.flags:
        from ssd.supervision.client.alone import show_log

        return show_log(program, directory, words.names[0], words.number)
    if first == "signal":
        from ssd.supervision.client.alone import send

        return send(program, directory, words.names[0], _number(words.names[1]))
    write(STDERR, f"{program}: no supervisor has {directory}\n")
    return statuses.NOT_RUNNING


def _number(text: str) -> "int | None":
    """Read a signal: its number, or its name with or without SIG."""
    return signal_number(text.removeprefix("SIG"))


def _events(program: str, connection: Connection, words: Words) -> "int | None":
    """Show what has happened, or what happens."""
    from ssd.supervision.control.json_text import encode

    as_json = "--json" in words.flags

    def show(line: "Facts") -> str:
        event = line.get("event")
        if not isinstance(event, dict):
            return ""
        return f"{encode(event)}\n" if as_json else _stamped(event)

    follow = True if "--follow" in words.flags else None
    return _stream(program, connection.ask("events", follow=follow, lines=words.number), show)


def _stamped(event: "Facts") -> str:
    """Write an event with its time, which is the reader's local one."""
    from time import localtime, strftime

    when = event.get("time")
    stamp = strftime("%Y-%m-%d %H:%M:%S", localtime(when if isinstance(when, (int, float)) else 0))
    return f"{stamp} {plain(event.get('text'))}\n"


def _log(program: str, connection: Connection, words: Words) -> "int | None":
    """Show the end of a log, or what is added to it."""

    def show(line: "Facts") -> str:
        lines = line.get("lines")
        return "".join(f"{each}\n" for each in lines) if isinstance(lines, list) else ""

    follow = True if "--follow" in words.flags else None
    asked = connection.ask("log", name=words.names[0], follow=follow, lines=words.number)
    return _stream(program, asked, show)


def _stream(program: str, lines: "Iterable[Facts]", show: "Callable[[Facts], str]") -> "int | None":
    """Print lines as they come, until their end or the reader's; None for an unknown service."""
    for line in lines:
        if line.get("error") == "unknown-service":
            return None
        if line.get("ok") is False:
            return _complain(program, line)
        text = show(line)
        if text:
            try:
                write_all(STDOUT, text.encode("utf-8", "surrogateescape"))
            except BrokenPipeError:
                return statuses.SUCCESS  # the reader has seen enough
    return statuses.SUCCESS


def _complain(program: str, line: "Facts") -> int:
    """Say why a request failed, and return the status."""
    write(STDERR, f"{program}: {line.get('message')}\n")
    return _ERRORS.get(str(line.get("error")), statuses.FAILED)


_ERRORS = {"unsupported": statuses.UNIMPLEMENTED, "denied": statuses.NOT_PRIVILEGED}


def _signal(program: str, connection: Connection, words: Words) -> "int | None":
    """Send a signal to a service; None if the supervisor does not have it."""
    name, text = words.names
    number = _number(text)
    given = text if number is None else number
    return show_action(program, "signal", connection, name=name, signal=given)


def _update(program: str, connection: Connection, words: Words) -> int:
    """Have the declarations read anew, and show what has changed."""
    *_, last = connection.ask("update")
    faults = last.get("faults")
    if isinstance(faults, list):
        write(STDERR, "".join(f"{program}: {fault}\n" for fault in faults))
        write(STDERR, f"{program}: nothing is changed\n")
        return statuses.NOT_CONFIGURED
    if not last.get("ok"):
        return _complain(program, last)
    for key, said in (("added", "started"), ("changed", "changed"), ("removed", "stopped")):
        names = last.get(key)
        if isinstance(names, list) and names:
            write(STDOUT, f"{said}: {' '.join(map(str, names))}\n")
    write(STDOUT, f"unchanged: {last.get('same', 0)}\n")
    return statuses.SUCCESS


def _upgrade(program: str, connection: Connection, words: Words) -> int:
    """Have the supervisor replace its own program."""
    (line,) = connection.ask("upgrade")
    return statuses.SUCCESS if line.get("ok") else _complain(program, line)


_WORDS: "dict[str, Callable[[str, Connection, Words], int | None]]" = {
    "events": _events,
    "log": _log,
    "signal": _signal,
    "update": _update,
    "upgrade": _upgrade,
}

"""A stop of several services that a supervisor has, in the time of the slowest."""

from itertools import chain

from ssd import statuses
from ssd.supervision.client import Connection, NoAnswer, Unreachable, find
from ssd.supervision.client.showing import fail, show_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Lines = Iterator[dict[str, object]]


def stop(program: str, given: str, names: "Sequence[str]") -> "dict[str, int]":
    """Stop services; return the status of each that a supervisor of the directory has.

    given: the directory, or "" for those of the caller. The supervisor is told of all of them
    before the first answer is waited for.
    """
    told: dict[str, Lines] = {}
    connections: list[Connection] = []
    found: dict[str, int] = {}
    for name in names:
        try:
            connection = next((each for _, each in find(given, name)), None)
            if connection is not None:
                connections.append(connection)
                told[name] = _asked(connection, name)
        except (Unreachable, NoAnswer) as error:
            found[name] = fail(program, error)
    for name, lines in told.items():
        try:
            status = show_lines(program, "stop", lines)
        except NoAnswer as error:
            status = fail(program, error, statuses.FAILED)
        if status is not None:
            found[name] = status
    for connection in connections:
        connection.close()
    return found


def _asked(connection: Connection, name: str) -> "Lines":
    """Ask, and return the answer's lines; the first one has come, so the stop has begun."""
    lines = connection.ask("stop", name=name)
    return chain([next(lines)], lines)

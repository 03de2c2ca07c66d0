"""The facts of all services that supervisors have, and the services that they do not have."""

from ssd.service import sources
from ssd.supervision.client import Connection, NoAnswer, Unreachable, find
from ssd.supervision.places import UPSTART

TYPE_CHECKING = False
if TYPE_CHECKING:
    Facts = dict[str, object]


def reach_all(given: str, looks: bool) -> "dict[str, Connection]":
    """Connect to the supervisors that all services have, by their directories.

    ``looks``: nothing is done to the services, so those of Upstart jobs count, and one that cannot
    be asked does not. Raises Unreachable.
    """
    there: dict[str, Connection] = {}
    try:
        for directory, connection in find(given):
            if looks or directory != UPSTART:
                there[directory] = connection
            if not looks:
                break
    except Unreachable:
        if not (there or looks):
            raise
    return there


def ask_all(connection: Connection, details: bool = False) -> "list[Facts]":
    """Return the facts of all services, sorted by name; ``details``: also what is declared."""
    found: list[Facts] = []
    for line in connection.ask("status", all=True, details=details or None):
        rows = line.get("services")
        if isinstance(rows, list):
            found += rows
        elif line.get("ok") is False:
            raise NoAnswer(connection.path, f"says: {line.get('message')}")
    return found


def ask_each(
    there: "dict[str, Connection]", directory: str, details: bool = False
) -> "list[Facts]":
    """Return the facts of all services of several supervisors; no job of a declared name counts."""
    found: dict[str, Facts] = {}
    declared = sources.names(directory) if UPSTART in there else []
    for place, connection in there.items():
        for row in ask_all(connection, details):
            name = str(row["name"])
            if place != UPSTART or name not in declared:
                found.setdefault(name, row)
    return [found[name] for name in sorted(found)]


def left_of(found: "list[Facts]", directory: str) -> "list[str]":
    """Return the names of declared services that the supervisor does not have."""
    have = {row.get("declared_as") or row["name"] for row in found}
    left = [name for name in sources.names(directory) if name not in have]
    if left:
        from ssd.service.sources.instances import expanded

        left = [name for name in expanded(left, directory) if name not in have]
    return left

"""A stop of several services that a supervisor has, in the time of the slowest."""

from itertools import chain

from ssd.supervision.client import Connection, NoAnswer, Unreachable, find
from ssd.supervision.client.showing import fail, show_action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Lines = Iterator[dict[str, object]]

MOST = 24  # requests at once: a supervisor has places for 32 clients of its group, 64 in all


class Begun(Connection):
    """A connection on which a stop was asked for; the first line of its answer has come."""

    __slots__ = ("_lines",)

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection.path, connection._sock)
        lines = connection.ask("stop", name=name)
        self._lines = chain([next(lines)], lines)

    def ask(self, verb: str, **fields: object) -> "Lines":
        """Yield each line of the answer to what was asked; as ``Connection.ask``."""
        return self._lines


def stop(program: str, given: str, names: "Sequence[str]") -> "dict[str, int]":
    """Stop services; return the status of each that a supervisor of the directory has.

    given: the directory, or "" for those of the caller. The supervisor is told of MOST of them
    before the first answer is waited for.
    """
    found: dict[str, int] = {}
    for at in range(0, len(names), MOST):
        found.update(_stop(program, given, names[at : at + MOST]))
    return found


def _stop(program: str, given: str, names: "Sequence[str]") -> "dict[str, int]":
    """Stop services side by side, as ``stop``."""
    told: dict[str, Begun] = {}
    found: dict[str, int] = {}
    for name in names:
        try:
            for _, connection in find(given, name):
                told[name] = Begun(connection, name)
                break
        except (Unreachable, NoAnswer) as error:
            found[name] = fail(program, error)
    for name, begun in told.items():
        try:
            status = show_action(program, "stop", begun)
        except NoAnswer as error:
            status = fail(program, error)
        if status is not None:
            found[name] = status
        begun.close()
    return found

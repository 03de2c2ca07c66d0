"""``ssd-service NAME@ VERB``: one verb for all declared instances of a template."""

import os

from ssd import statuses
from ssd.service.environment import LEFT_OUT
from ssd.service.sources.instances import members
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ssd.service.cli import Call
    from ssd.service.errors import SeveralInstances
    from ssd.service.verbs.fleet import Fleet

    Ask = Callable[[Call, str, list[str]], int | None]
    MakeFleet = Callable[[Call, str, list[str]], Fleet]
    Result = TypeVar("Result")

PLACES = ("HOME", "XDG_CONFIG_HOME")  # where a user's supervisor is


def perform(
    call: "Call", several: "SeveralInstances", rest: "list[str]", ask: "Ask", fleet: "MakeFleet"
) -> int:
    """Do a verb to all instances, and return the highest status, as ``all`` does.

    A supervisor does it to those that it has. ``ask`` asks it; ``fleet`` makes the fleet of the
    others. Without any instance a verb succeeds, and a status is that of a stopped service.
    """
    found = members(several, call.directory)
    if not found and rest:
        write(2, f"{call.program}: {several}\n")
    if rest == ["--full-restart"]:
        stopped = _act(call, several.name, found, ["stop"], ask, fleet)
        return max(stopped, _act(call, several.name, found, ["start"], ask, fleet))
    if rest == ["status"]:
        status = as_called(lambda: look(call, found, rest, fleet))
        if status is not None:
            return status
    done = _act(call, several.name, found, rest, ask, fleet)
    return max(done, statuses.STOPPED) if rest == ["status"] and not found else done


def _act(
    call: "Call", word: str, names: "list[str]", rest: "list[str]", ask: "Ask", fleet: "MakeFleet"
) -> int:
    """Do a verb by the supervisor where it has an instance, and to all others together."""
    found = as_called(lambda: _ask(call, names, rest, ask))
    left = [name for name in names if name not in found]
    highest = max(found.values(), default=statuses.SUCCESS)
    if left or not names:
        others = fleet(call, call.directory, left)
        others.word = word
        highest = max(highest, others.perform(rest))
    return highest


def _ask(call: "Call", names: "list[str]", rest: "list[str]", ask: "Ask") -> "dict[str, int]":
    """Ask the supervisor of each instance; return the status of each that it has."""
    found: dict[str, int] = {}
    if rest == ["stop"] and call.table is None:
        from ssd.supervision.client import asking_several

        given = call.directory if call.elsewhere else ""
        found = asking_several.stop(call.program, given, names)
    for name in names:
        if name not in found and (status := ask(call, name, rest)) is not None:
            found[name] = status
    return found


def as_called(work: "Callable[[], Result]") -> "Result":
    """Do some work with those variables of the caller that tell where its supervisor is."""
    kept = {name: LEFT_OUT[name] for name in PLACES if name in LEFT_OUT}
    os.environ.update(kept)
    try:
        return work()
    finally:
        for name in kept:
            del os.environ[name]


def look(call: "Call", names: "list[str]", rest: "list[str]", fleet: "MakeFleet") -> "int | None":
    """Show the status of all instances if there is a supervisor; None without one."""
    if call.table is not None:
        return None
    from ssd.supervision.client import asking_all

    def others(directory: str, left: "list[str]") -> "Fleet":
        return fleet(call, directory, left)

    given = call.directory if call.elsewhere else ""
    return asking_all.perform(call.program, given, rest, others, names)

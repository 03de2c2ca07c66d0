"""``ssd-service NAME@ VERB``: one verb for all declared instances of a template."""

from ssd import statuses
from ssd.service.sources.instances import members
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.cli import Call
    from ssd.service.errors import SeveralInstances
    from ssd.service.verbs.fleet import Fleet

    Ask = Callable[[Call, str, list[str]], int | None]
    MakeFleet = Callable[[Call, str, list[str]], Fleet]

LOOKS = (["status"], ["status", "--json"])


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
    if rest in LOOKS:
        status = _look(call, found, rest, fleet)
        if status is not None:
            return status
    done = _act(call, several.name, found, rest, ask, fleet)
    return max(done, statuses.STOPPED) if rest in LOOKS and not found else done


def _act(
    call: "Call", word: str, names: "list[str]", rest: "list[str]", ask: "Ask", fleet: "MakeFleet"
) -> int:
    """Do a verb by the supervisor where it has an instance, and to all others together."""
    highest, left = statuses.SUCCESS, []
    stopped: dict[str, int] = {}
    if rest == ["stop"] and call.table is None:
        from ssd.supervision.client import asking_several

        given = call.directory if call.elsewhere else ""
        stopped = asking_several.stop(call.program, given, names)
    for name in names:
        status = stopped[name] if name in stopped else ask(call, name, rest)
        if status is None:
            left.append(name)
        highest = max(highest, status or statuses.SUCCESS)
    if left or not names:
        others = fleet(call, call.directory, left)
        others.word = word
        highest = max(highest, others.perform(rest))
    return highest


def _look(call: "Call", names: "list[str]", rest: "list[str]", fleet: "MakeFleet") -> "int | None":
    """Show the status of all instances if there is a supervisor; None without one."""
    if call.table is not None:
        return None
    from ssd.supervision.client import asking_all

    def others(directory: str, left: "list[str]") -> "Fleet":
        return fleet(call, directory, left)

    given = call.directory if call.elsewhere else ""
    return asking_all.perform(call.program, given, rest, others, names)

"""Ask supervisors for verbs, and return what came of them (``ssd.service.outcome.Outcome``).

Nothing here prints. A service that no supervisor has is left to the caller.
"""

from functools import partial
from itertools import chain
from time import monotonic

from ssd.service import DIRECTORY
from ssd.supervision.client import NoAnswer, Unreachable, directories, is_declared, outcomes, reach
from ssd.supervision.client.asking_several import MOST
from ssd.supervision.client.rows import ask_all, ask_each, left_of, reach_all
from ssd.supervision.places import UPSTART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ssd.service.outcome import Outcome
    from ssd.supervision.client import Connection

    Facts = dict[str, object]
    Finish = Callable[[], Outcome]
    Others = Callable[[str, list[str]], list[Outcome]]  # for these names of a directory


def one(given: str, name: str, verb: str, planned: bool, file: "str | None") -> "Outcome | None":
    """Do a verb to a service, or plan it; return None if no supervisor has the service.

    given: the directory of declarations that the caller named, or "". file: the declaration of
    that name must be this file; None: any.
    """
    finish = begin(given, name, verb, planned, file)
    return None if finish is None else finish()


def some(
    given: str, names: "Sequence[str]", verb: str, planned: bool, others: "Others"
) -> "list[Outcome] | None":
    """Do a verb to services, or plan it; return the outcomes, None if no supervisor has any.

    others: does it to those that none has. A stop takes the time of the slowest of MOST.
    """
    told: dict[str, Outcome | None] = {}
    most = MOST if verb == "stop" else 1
    for at in range(0, len(names), most):
        begun = [(name, begin(given, name, verb, planned)) for name in names[at : at + most]]
        told.update((name, finish and finish()) for name, finish in begun)
    left = [name for name, outcome in told.items() if outcome is None]
    found = [outcome for outcome in told.values() if outcome is not None]
    if not found:
        return None
    if left:
        found += others(given or DIRECTORY, left)
    return sorted(found, key=lambda each: each.name)


def every(given: str, verb: str, planned: bool, others: "Others") -> "list[Outcome] | None":
    """Do a verb to all services, or plan it; return the outcomes, None if there is no supervisor.

    others: does it to declared services that the supervisor does not have; these stop first and
    start last. If the supervisor cannot be asked, there is one outcome, of the name all.
    """
    since = monotonic()
    try:
        there = reach_all(given, verb == "status")
    except Unreachable as error:
        return [outcomes.unasked("all", verb, planned, error)]
    if not there:
        return None
    directory = next((each for each in there if each != UPSTART), DIRECTORY)
    try:
        found = ask_each(there, directory, details=True)
        left = left_of(found, directory)
        first = others(directory, left) if left and verb == "stop" else []
        if verb == "status" or planned:
            told = [outcomes.of_look(verb, row, planned) for row in found]
        else:
            told = _act_on_all(there[directory], verb, found, since)
    except NoAnswer as error:
        return [outcomes.unasked("all", verb, planned, error)]
    finally:
        for connection in there.values():
            connection.close()
    last = others(directory, left) if left and verb != "stop" else []
    return sorted([*first, *told, *last], key=lambda each: each.name)


def _act_on_all(
    connection: "Connection", verb: str, found: "list[Facts]", since: float
) -> "list[Outcome]":
    """Do an action to all services of a supervisor; ``found`` are their facts before."""
    looks = {str(row["name"]): outcomes.look(row) for row in found}
    lateness = monotonic() - since
    try:
        lines = {str(line.get("name")): line for line in _ask(connection, verb, all=True)}
        then = {str(row["name"]): row for row in ask_all(connection, details=True)}
    except NoAnswer as error:
        return [outcomes.unasked(name, verb, False, error) for name in looks]
    last: Facts = lines.pop("None", {})
    told = []
    for name, row in zip(looks, found):
        line = lines.get(name, last)
        told.append(outcomes.of_action(verb, row, looks[name], line, then.get(name), lateness))
    return told


def begin(
    given: str, name: str, verb: str, planned: bool, file: "str | None" = None
) -> "Finish | None":
    """Ask for a verb as ``one``; return a function that waits for the outcome."""
    for directory in directories(given):
        if directory == UPSTART and (file is not None or is_declared(name, given)):
            break
        try:
            connection = reach(directory)
            found = None if connection is None else _begin(connection, name, verb, planned, file)
        except (Unreachable, NoAnswer) as error:
            if verb == "status" and isinstance(error, Unreachable):
                continue  # everybody may look for the process
            found = outcomes.unasked(name, verb, planned, error)
        if found is not None:
            return found if callable(found) else partial(_known, found)
    return None


def _known(outcome: "Outcome") -> "Outcome":
    return outcome


def _begin(
    connection: "Connection", name: str, verb: str, planned: bool, file: "str | None"
) -> "Outcome | Finish | None":
    """Ask one supervisor; return what it comes to, or what waits for it; None: it has no such."""
    since = monotonic()
    begun = False
    try:
        (line,) = connection.ask("status", name=name, file=file)
        found = line.get("service")
        if not isinstance(found, dict):
            error, reason = line.get("error"), f"{line.get('message')}"
            if error == "unknown-service" or verb == "status" and error == "denied":
                return None
            return outcomes.refused(name, verb, planned, reason, error == "denied")
        if verb == "status" or planned:
            return outcomes.of_look(verb, found, planned)
        before, lateness = outcomes.look(found), monotonic() - since
        lines = _ask(connection, verb, name=name, file=file)
        begun = True
    finally:
        if not begun:
            connection.close()

    def finish() -> "Outcome":
        try:
            told = _last(lines)
            (line,) = connection.ask("status", name=name, file=file)
        except NoAnswer as error:
            return outcomes.unasked(name, verb, planned, error)
        finally:
            connection.close()
        then = line.get("service")
        after = then if isinstance(then, dict) else None
        return outcomes.of_action(verb, found, before, told, after, lateness)

    return finish


def _ask(connection: "Connection", verb: str, **fields: object) -> "Iterator[Facts]":
    """Ask for an action with its steps; return the lines, of which the first has come.

    A supervisor of an earlier version refuses the word before it does anything: it is asked again.
    """
    lines = connection.ask(verb, **fields, steps=True)
    first = next(lines)
    if first.get("error") == "malformed":
        lines = connection.ask(verb, **fields)
        first = next(lines)
    return chain([first], lines)


def _last(lines: "Iterator[Facts]") -> "Facts":
    """Return the last line of an answer, with the verb that was done."""
    line: Facts = {}
    did: object = None
    for line in lines:
        did = line.get("begun", did)
    return {"did": did, **line}

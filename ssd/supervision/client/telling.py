"""``--json`` and ``--plan`` after a verb, for what a supervisor has: print what came of it.

The words are those that ``ssd.service.telling`` makes: the verb, then the options. Each function
returns None if no supervisor has a service.
"""

from ssd import answers
from ssd.service.verbs.fleet_outcomes import outcomes, say, shown
from ssd.service.verbs.outcomes import VERBS
from ssd.stdio import write
from ssd.supervision.client import asking_outcomes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.service.outcome import Outcome
    from ssd.service.verbs.fleet import Fleet

    Rest = Callable[[str, list[str]], Fleet]  # the fleet of these names of a directory


def one(
    program: str, given: str, name: str, words: "list[str]", file: "str | None"
) -> "int | None":
    """Do a verb to a service, or plan it; return its exit status."""
    verb, options = words[0], words[1:]
    if verb not in VERBS:
        return None
    told = asking_outcomes.one(given, name, verb, "--plan" in options, file)
    return None if told is None else _show(told, program, "--json" in options)


def several(
    program: str, given: str, words: "list[str]", rest: "Rest", names: "Sequence[str] | None"
) -> "int | None":
    """Do a verb to all services, or to some, or plan it; return the highest status.

    rest: makes the fleet of those that no supervisor has. names: None for all.
    """
    verb, options = words[0], words[1:]
    if verb not in VERBS:
        return None
    planned, as_json = "--plan" in options, "--json" in options

    def others(directory: str, left: "list[str]") -> "list[Outcome]":
        if names is None:  # else the caller has entered it
            from ssd.service.environment import enter

            enter()
        return outcomes(rest(directory, left), verb, planned)

    if names is None:
        found = asking_outcomes.every(given, verb, planned, others)
    else:
        found = asking_outcomes.some(given, names, verb, planned, others)
    if found is None:
        return None
    if as_json:
        told = [shown(each, program) for each in found]
        write(1, answers.text(told))
    else:
        for each in found:
            say(each, program)
    return max((each.status for each in found), default=0)


def _show(outcome: "Outcome", program: str, as_json: bool) -> int:
    """Print one outcome, and return its status."""
    if as_json:
        write(1, answers.text(shown(outcome, program)))
    else:
        say(outcome, program)
    return outcome.status

"""Looks at processes that somebody else has named: a supervisor, systemd or OpenRC."""

from ssd.answers import facts_of, has_ended
from ssd.matching import UNKNOWN_START, Process
from ssd.processes import default_table
from ssd.processes.recorded import Facts as Met
from ssd.service.outcome import Look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Facts = dict[str, object]


def look(state: str, processes: "Iterable[Process]", by: str) -> Look:
    """Return a look at processes that are there now; ``by``: who has named them."""
    table = default_table()
    return Look(
        state, [facts_of(Met(each, table), table, by, has_ended(each, table)) for each in processes]
    )


def again(earlier: Look, later: Look) -> "tuple[Look, Look]":
    """Return two looks, with ``ended`` as of now, and the same facts of a process in both.

    The time of a start that is counted twice differs by a tick.
    """
    known = {_identity(facts): facts for facts in earlier.processes}
    after = [known.get(_identity(facts), facts) for facts in later.processes]
    return _now(Look(earlier.state, earlier.processes)), _now(Look(later.state, after))


def identities(seen: Look) -> "list[tuple[int, int]]":
    """Return pid and start time of the processes of a look."""
    return [_identity(facts) for facts in seen.processes]


def _now(seen: Look) -> Look:
    table = default_table()
    ended = [has_ended(Process(*_identity(facts)), table) for facts in seen.processes]
    both = zip(seen.processes, ended)
    return Look(seen.state, [{**facts, "ended": over} for facts, over in both])


def _identity(facts: "Facts") -> "tuple[int, int]":
    start_time = facts["start_time"]
    return int(str(facts["pid"])), UNKNOWN_START if start_time is None else int(str(start_time))

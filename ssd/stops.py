"""Stop processes by one call: ``ssd.stop`` and ``ssd.stop_all``."""

from ssd.errors import NotPermitted, NotStopped
from ssd.stopping import Stop, run
from ssd.validation import matches_of, schedule_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.matching import Match, Process
    from ssd.processes.contract import ProcessTable
    from ssd.schedule import Schedule


def stop(
    match: "Match",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    tree: bool = False,
    table: "ProcessTable | None" = None,
) -> "list[Process]":
    """Stop the processes that match, and return those that were stopped.

    ``schedule`` is a Schedule or its text (seconds between the signals). ``tree`` stops with
    them all that belongs to them (``ssd.trees``). Returns when all have ended, or at once if the
    schedule has no wait. An empty list means that there was nothing to stop. Raises NotStopped
    if processes outlive the schedule, NotPermitted if some were found and none may be signalled,
    ScheduleError, and what ``ssd.find`` raises.
    """
    return stop_all([match], schedule, tree=tree, table=table)[0]


def stop_all(
    matches: "Iterable[Match]",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    tree: bool = False,
    table: "ProcessTable | None" = None,
) -> "list[list[Process]]":
    """Stop many daemons side by side; see ``stop``. Tries all before it raises.

    Returns one list per match, in their order. NotStopped and NotPermitted carry the
    processes of all matches.
    """
    steps = schedule_of(schedule)
    stops: list[Stop] = []
    try:
        for match in matches_of(matches):
            stops.append(Stop(match, steps, tree=tree, table=table))
        run(*stops)
    finally:
        for each in stops:
            each.close()
    return results(stops)


def results(stops: "Iterable[Stop]") -> "list[list[Process]]":
    """Return the processes that each finished stop stopped, or raise for those that failed."""
    stops = list(stops)
    for stop in stops:
        if stop.failure is not None:
            raise stop.failure
    left = [process for stop in stops for process in stop.remaining]
    if left:
        raise NotStopped(left)
    denied = [p for stop in stops if not stop.signalled for r in stop.rounds for p, _ in r.denied]
    if denied:
        raise NotPermitted(denied)
    return [stop.signalled for stop in stops]

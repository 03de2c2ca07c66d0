"""Stop processes by a schedule: drive the engine to its end, one or many at once."""

from ssd.engine import Stop
from ssd.errors import NotPermitted, NotStopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.identity import Process
    from ssd.matching import Match
    from ssd.processes.contract import ProcessTable
    from ssd.schedule import Schedule


def run(*stops: Stop) -> None:
    """Drive stops to their ends, all at once, in the time of the slowest.

    They must share one kind of process table. Blocks in poll(2), runs in any thread. A
    stop that fails keeps its ``failure`` and does not hold up the others.
    """
    pending = [stop for stop in stops if not stop.step()]
    while pending:
        limits = [stop.until for stop in pending if stop.until is not None]
        handles = [handle for stop in pending for handle in stop.handles]
        pending[0].table.wait(handles, min(limits, default=None))
        pending = [stop for stop in pending if not stop.step()]


def stop(
    match: "Match",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    table: "ProcessTable | None" = None,
) -> "list[Process]":
    """Stop what ``match`` means and return the processes that were stopped, if any.

    ``schedule`` is a Schedule or the text of one (seconds between the signals). Returns
    when all have ended, or at once where the schedule has no wait. An empty list means
    that there was nothing to stop. Raises NotStopped if processes outlive the schedule,
    NotPermitted if some were found and not one may be signalled, ScheduleError, and what
    ``ssd.find`` raises.
    """
    return stop_all([match], schedule, table=table)[0]


def stop_all(
    matches: "Iterable[Match]",
    schedule: "Schedule | str" = "TERM/30/KILL/5",
    *,
    table: "ProcessTable | None" = None,
) -> "list[list[Process]]":
    """Stop many daemons side by side; see ``stop``. All are tried before one raises.

    Returns a list for each match, in their order. NotStopped and NotPermitted carry the
    processes of all matches together.
    """
    from ssd.validation import matches_of, schedule_of  # of no use to ssd-service

    steps = schedule_of(schedule)
    stops: list[Stop] = []
    try:
        for match in matches_of(matches):
            stops.append(Stop(match, steps, table=table))
        run(*stops)
    finally:
        for each in stops:
            each.close()
    return results(stops)


def results(stops: "Iterable[Stop]") -> "list[list[Process]]":
    """Return what each finished stop stopped, or raise for those that did not."""
    stops = list(stops)
    for stop in stops:
        if stop.failure is not None:
            raise stop.failure
    left = [process for stop in stops for process in stop.remaining]
    if left:
        raise NotStopped(left)
    refused = [p for stop in stops if not stop.signalled for r in stop.rounds for p, _ in r.refused]
    if refused:
        raise NotPermitted(refused)
    return [stop.signalled for stop in stops]

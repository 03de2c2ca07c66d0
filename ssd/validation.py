"""Check the arguments of the library: an error names the parameter, and what to give instead."""

import os

from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.signals import INT_MAX  # a descriptor is an int

SCHEDULE_EXAMPLE = "for example 'TERM/30/KILL/5', or '30' for TERM, 30 seconds, KILL and 30 more"
STDIO_EXAMPLE = "(0, 1, 2) or (file.fileno(), 1, 2)"


def demand_match(match: object) -> None:
    """Raise TypeError for anything but a Match, ValueError for a NUL byte in it."""
    if not isinstance(match, Match):
        raise TypeError(f"an ssd.Match says which processes are meant, not {match!r}")
    for what in ("pidfile", "exec", "name", "user"):
        value = getattr(match, what)
        if isinstance(value, (str, bytes)) and b"\0" in os.fsencode(value):
            raise ValueError(f"{what} has a NUL byte in it: {value!r}")


def demand_table(table: object) -> None:
    """Raise TypeError for anything but a process table or None."""
    if table is None or hasattr(table, "launcher"):
        return
    if hasattr(table, "select"):
        raise TypeError(
            f"table lacks members of ssd.processes.contract.ProcessTable: {table!r}; "
            "derive it from ssd.processes.base.PidByPidTable"
        )
    name = table if table in ("kernel", "psutil") else "psutil"
    raise TypeError(
        f"table must be a process table, for example ssd.table_named({name!r}), not {table!r}"
    )


def demand(match: object, table: object) -> None:
    """Raise TypeError unless these are a Match and a process table."""
    demand_match(match)
    demand_table(table)


def matches_of(given: object) -> list[Match]:
    """Return several Matches as a list. Raises TypeError for a single Match, or anything else."""
    if isinstance(given, Match) or not hasattr(given, "__iter__"):
        raise TypeError(
            f"matches must be a list of ssd.Match, [match] for a single one, not {given!r}"
        )
    return list(given)


def schedule_of(given: object) -> Schedule:
    """Return a schedule that may be given as a text. Raises TypeError and ScheduleError."""
    if isinstance(given, str):
        return Schedule.parse(given)
    if not isinstance(given, Schedule):
        raise TypeError(
            f"schedule must be an ssd.Schedule or its text ({SCHEDULE_EXAMPLE}), not {given!r}"
        )
    return given


def descriptors_of(given: object) -> tuple[int, int, int]:
    """Return three descriptors as plain numbers. Raises ValueError."""
    three = given if isinstance(given, (tuple, list)) and len(given) == 3 else [None]
    if not all(type(fd) is not bool and isinstance(fd, int) and 0 <= fd <= INT_MAX for fd in three):
        raise ValueError(
            f"stdio must be three descriptors, for example {STDIO_EXAMPLE}, not {given!r}"
        )
    read, out, err = map(int, three)
    return read, out, err


def demand_seconds(what: str, value: object) -> None:
    """Raise ValueError for anything but a number of seconds, or None."""
    if value is None or isinstance(value, (int, float)) and value >= 0:
        return
    raise ValueError(f"{what} must be a number of seconds or None, not {value!r}")

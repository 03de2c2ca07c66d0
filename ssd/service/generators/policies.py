"""The fields of a declaration that are tables, as objects with types."""

from math import ceil

from ssd.schedule import SEND, WAIT, Schedule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.declaration import Service


KILL = 9  # on every system


class Readiness:
    """How a start knows that the service works."""

    __slots__ = ("kind", "timeout", "whole_timeout", "command")

    def __init__(self, service: "Service") -> None:
        table: dict[str, Any] = service.readiness
        self.kind: str = table["kind"]
        self.timeout: int | float = table["timeout"]  # seconds
        self.whole_timeout = ceil(self.timeout)
        self.command: list[str] = table["command"]

    def waits_for(self, service: "Service") -> list[str]:
        """Return a command that succeeds as soon as it is ready; empty if there is none."""
        if self.kind == "command":
            return self.command
        # Whoever sends it to the background writes the pidfile, or knows the process without.
        if self.kind == "pidfile" and service.pidfile != "none" and not service.background:
            return ["test", "-s", service.pidfile]
        return []


class Respawn:
    """Whether, and how often, it is brought back. A limit of 0 is none."""

    __slots__ = ("when", "limit", "interval", "delay", "normal_exit")

    def __init__(self, service: "Service") -> None:
        table: dict[str, Any] = service.respawn
        self.when: str = table["when"]
        self.limit: int = table["limit"]
        self.interval: int | float = table["interval"]  # seconds
        self.delay: int | float = table["delay"]  # seconds
        self.normal_exit: list[int | str] = table["normal_exit"]


class Ending:
    """A stop schedule for systems that know one signal, a time, and a last signal.

    first: the signal that it begins with, None if it begins with a wait. seconds: from that to
    ``last``, which is KILL if the schedule has it, else the last signal, None if there is
    but one. skipped: the signals between, with their times. total: seconds of all waits.
    """

    __slots__ = ("first", "seconds", "last", "skipped", "total", "repeats")

    def __init__(self, service: "Service") -> None:
        schedule = Schedule.parse(service.stop_schedule)
        kind, signum = schedule.steps[0]
        self.first = signum if kind == SEND else None
        self.seconds = 0
        self.last: int | None = None
        self.skipped: list[tuple[int, int]] = []
        time = 0
        for kind, value in schedule.steps[1:]:
            if kind == WAIT:
                time += value
            elif self.last != KILL:
                if self.last is not None:
                    self.skipped.append((self.seconds, self.last))
                self.seconds, self.last = time, value
        if self.last is None:
            self.seconds = time
        self.total = time
        self.repeats = schedule.repeat is not None and self.last != KILL


def oom_score(service: "Service") -> int | None:
    """Return the adjustment of proc(5), None if there is none."""
    return -1000 if service.oom_score == "never" else service.oom_score  # type: ignore[return-value]

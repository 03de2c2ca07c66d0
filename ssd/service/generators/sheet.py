"""The file that is being written: its text, what is not in it, and what goes into any of them."""

import os

from ssd.errors import Error
from ssd.schedule import SEND, WAIT, Schedule
from ssd.service.generators.quoting import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.service.declaration import Service

KILL = 9  # on every system
# Where systemd's own files put the old names, hier(7).
_MOVED = (("/var/run/", "/run/"), ("/var/lock/", "/run/lock/"))


class Inexpressible(ValueError):
    """A declaration from which no working file can be written for a system.

    ``field`` and ``reason`` say what is in the way.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason

    __reduce__ = Error.__reduce__


class Sheet:
    """A text in the making, and its losses: (field, reason) for each that is not in it.

    ``lost``: the fields that the system has no word for, with the reason. Only those that
    the service declares are losses.
    """

    def __init__(self, service: "Service", kind: str, lost: "Mapping[str, str]") -> None:
        self.service = service
        self.kind = kind
        self.declared = service.to_dict()
        if service.provides == [service.name]:  # which is what it provides anyway
            del self.declared["provides"]
        self.losses = [(name, lost[name]) for name in self.declared if name in lost]
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Add lines, or pieces of several lines."""
        self._lines += lines

    def lose(self, field: str, reason: str) -> None:
        """Say that a field is not, or not wholly, in the text."""
        if (field, reason) not in self.losses:
            self.losses.append((field, reason))

    def needs(self, field: str, value: str | None, reason: str) -> str:
        """Return a value that has to be there. Raises Inexpressible."""
        if not value:
            raise Inexpressible(field, reason)
        return value

    def head(self) -> list[str]:
        """Return the comments for the beginning: who wrote it, and what is not in it."""
        service = self.service
        lines = [f"# Written by: ssd-service generate {self.kind} {line(service.name)}"]
        for label, value in (("Author", service.author), ("Version", service.version)):
            if value and self.kind != "upstart":
                lines.append(f"# {label}: {line(value)}")
        if service.usage and self.kind != "upstart":
            lines.append(f"# Usage: {line(service.usage)}")
        lines += [f"# Not in this file: {name} ({line(reason)})" for name, reason in self.losses]
        return lines

    def text(self) -> str:
        """Return the whole text, blocks of lines as they were added."""
        return "\n".join(self._lines) + "\n"


def modern(path: str) -> str:
    """Return a path below /run for one below /var/run or /var/lock, which lead there."""
    for old, new in _MOVED:
        if path.startswith(old):
            return new + path.removeprefix(old)
    return path


class Directory:
    """A directory to make if it is missing; None for user and group is root's.

    A user without a group gives it to the group of his account.
    """

    __slots__ = ("path", "mode", "user", "group")

    def __init__(self, path: str, mode: str, user: str | None, group: str | None) -> None:
        self.path = path
        self.mode = mode
        self.user = user
        self.group = group

    @property
    def owner(self) -> str:
        """The owner in chown(1)'s words, ``USER:`` for a user and his group; empty for root."""
        return f"{self.user or ''}:{self.group or ''}" if self.user or self.group else ""


def directories(service: "Service") -> list[Directory]:
    """Return those that are declared, and that of the log file, which is the service's own."""
    made = [
        Directory(each["path"], each["mode"], each.get("user"), each.get("group"))
        for each in service.directories
    ]
    if service.log_file:
        path = os.path.dirname(service.log_file)
        if path != "/" and path not in [directory.path for directory in made]:
            made.append(Directory(path, "0755", service.user, service.group))
    return made


def ready_command(service: "Service") -> list[str]:
    """Return a command that succeeds as soon as the service is ready; empty without one."""
    readiness = service.readiness
    if readiness["kind"] == "command":
        return readiness["command"]
    # What sends a service to the background writes its pidfile, or knows the process without.
    if readiness["kind"] == "pidfile" and service.pidfile != "none" and not service.background:
        return ["test", "-s", service.pidfile]
    return []


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
    score = service.oom_score
    return -1000 if isinstance(score, str) else score  # the only text is "never"

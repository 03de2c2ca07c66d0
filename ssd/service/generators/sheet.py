"""A generated file, and what all generators share.

A Sheet collects the text and the fields that the text cannot express.
"""

import os
from math import ceil

from ssd.errors import Error
from ssd.schedule import SEND, WAIT, Schedule
from ssd.service.generators.quoting import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssd.service.declaration import Service

KILL = 9  # on every system
# Old directories and those of today, hier(7).
_MOVED = (("/var/run/", "/run/"), ("/var/lock/", "/run/lock/"))


class Inexpressible(ValueError):
    """No working file can be generated from this declaration.

    ``field`` and ``reason`` say why.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason

    __reduce__ = Error.__reduce__


class Sheet:
    """The text of a generated file, and its losses: (field, reason) for each field left out.

    ``lost``: the fields that the init system cannot express, with the reason. Only fields
    that the service declares become losses.
    """

    def __init__(self, service: "Service", kind: str, lost: "Mapping[str, str]") -> None:
        self.service = service
        self.name = service.name
        self.kind = kind
        self.declared = service.to_dict()
        if service.provides == [service.name]:  # the default of every init system
            del self.declared["provides"]
        self.losses = [(name, lost[name]) for name in self.declared if name in lost]
        if service.readiness["kind"] in ("port", "socket"):
            self.lose("readiness", "it waits for a command, such as nc -z, and not for a port")
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Add lines, or blocks of lines."""
        self._lines += lines

    def lose(self, field: str, reason: str) -> None:
        """Record that the text does not express a field, or not all of it."""
        if (field, reason) not in self.losses:
            self.losses.append((field, reason))

    def needs(self, field: str, value: str | None, reason: str) -> str:
        """Return a required value. Raises Inexpressible if it is missing."""
        if not value:
            raise Inexpressible(field, reason)
        return value

    def head(self) -> list[str]:
        """Return the comments at the top: the command that wrote the file, and the losses."""
        service = self.service
        lines = [f"# Written by: ssd-service generate {self.kind} {line(service.name)}"]
        for label, value in (("Author", service.author), ("Version", service.version)):
            if value and self.kind != "upstart":
                lines.append(f"# {label}: {line(value)}")
        if service.usage and self.kind != "upstart":
            lines.append(f"# Usage: {line(service.usage)}")
        lines += [f"# Not in this file: {name} ({line(reason)})" for name, reason in self.losses]
        return lines

    def make_template(self, name: str, instance: str, comments: "Sequence[str]") -> None:
        """Make it a file for all instances; %i takes the place of one. Add comments to the head."""
        first, *rest = self._lines
        first = first.replace(name + instance, name)
        self._lines = [first, *comments, *(each.replace(instance, "%i") for each in rest)]
        self.losses = [(f, reason.replace(instance, "%i")) for f, reason in self.losses]
        self.name = name

    def text(self) -> str:
        """Return the whole text."""
        return "\n".join(self._lines) + "\n"


def modern(path: str) -> str:
    """Return a path below /var/run or /var/lock as its path below /run."""
    for old, new in _MOVED:
        if path.startswith(old):
            return new + path.removeprefix(old)
    return path


class Directory:
    """A directory to create if it is missing; None for user and group means root's.

    A user without a group means the login group of the user.
    """

    __slots__ = ("path", "mode", "user", "group")

    def __init__(self, path: str, mode: str, user: str | None, group: str | None) -> None:
        self.path = path
        self.mode = mode
        self.user = user
        self.group = group

    @property
    def owner(self) -> str:
        """The owner as chown(1) takes it, ``USER:`` for a user and the login group; empty: root."""
        return f"{self.user or ''}:{self.group or ''}" if self.user or self.group else ""


def directories(service: "Service") -> list[Directory]:
    """Return the declared directories, and that of the log file, which the service owns."""
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
    # With --background the starter writes the pidfile before it returns; systemd needs none.
    if readiness["kind"] == "pidfile" and service.pidfile != "none" and not service.background:
        return ["test", "-s", service.pidfile]
    return []


def seconds_to_stay(service: "Service") -> int:
    """Return for how long a start checks that the service runs; 0 for another kind of readiness."""
    readiness = service.readiness
    return ceil(readiness["timeout"]) if readiness["kind"] == "stays" else 0


class Ending:
    """A stop schedule reduced to a first signal, a time, and a last signal.

    first: the signal at the beginning, None if the schedule begins with a wait. last: KILL if
    the schedule has it, otherwise the last signal, None if there is only one signal.
    seconds: from ``first`` to ``last``. skipped: the signals between them, with their times.
    total: the seconds of all waits. repeats: whether the schedule repeats without a KILL.
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
    """Return the value for oom_score_adj, proc(5); None if it is not declared."""
    score = service.oom_score
    return -1000 if isinstance(score, str) else score  # the only text is "never"

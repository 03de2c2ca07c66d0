"""What happens to services, as values.

``time`` is in seconds since the epoch, ``name`` the service. ``to_dict`` is what the control
socket sends; ``str`` is what a terminal shows.
"""

from ssd.signal_names import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.errors import Error


class Event:
    """Something that has happened to a service."""

    __slots__ = ("time", "name")

    def __init__(self, time: float, name: str) -> None:
        self.time = time
        self.name = name

    @property
    def kind(self) -> str:
        """The class's name in lower case."""
        return type(self).__name__.lower()

    def fields(self) -> "dict[str, object]":
        """Return what this kind of event adds to time, name and kind."""
        own = type(self).__dict__["__slots__"]
        return {field: getattr(self, field) for field in own if type(self) is not Event}

    def to_dict(self) -> "dict[str, object]":
        """Return the event as plain values."""
        return {
            "time": self.time,
            "name": self.name,
            "event": self.kind,
            **self.fields(),
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return type(self) is type(other) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # lines of output are a list

    def __repr__(self) -> str:
        parts = [
            f"{self.time:.3f}",
            repr(self.name),
            *map(repr, self.fields().values()),
        ]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        return f"{self.name} {self.words()}"

    def words(self) -> str:
        """Return the event as a sentence without its subject."""
        return "has an event"


class Starting(Event):
    """Its start has begun: all that it waits for is there."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "is starting"


class Started(Event):
    """Its program runs as process ``pid``."""

    __slots__ = ("pid",)

    def __init__(self, time: float, name: str, pid: int) -> None:
        super().__init__(time, name)
        self.pid = pid

    def words(self) -> str:
        """Say it."""
        return f"runs as process {self.pid}"


class Adopted(Started):
    """A process that ran already, ``pid``, is watched from now on."""

    __slots__ = ()

    def fields(self) -> "dict[str, object]":
        """Return the pid."""
        return {"pid": self.pid}

    def words(self) -> str:
        """Say it."""
        return f"is taken over: it runs as process {self.pid}"


class Ready(Event):
    """It does its work: its readiness has come."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "is ready"


class Exited(Event):
    """Its main process ``pid`` has ended.

    status: the exit status, minus the number of the signal that ended it, or None if nobody knows.
    """

    __slots__ = ("pid", "status")

    def __init__(self, time: float, name: str, pid: int, status: int | None) -> None:
        super().__init__(time, name)
        self.pid = pid
        self.status = status

    def words(self) -> str:
        """Say it."""
        return f"{describe_end(self.status)} (process {self.pid})"


class Restarting(Event):
    """It is to be started again in ``seconds``; ``attempt`` counts those in a row."""

    __slots__ = ("seconds", "attempt")

    def __init__(self, time: float, name: str, seconds: float, attempt: int) -> None:
        super().__init__(time, name)
        self.seconds = seconds
        self.attempt = attempt

    def words(self) -> str:
        """Say it."""
        when = "now" if self.seconds < 0.05 else f"in {self.seconds:.1f} seconds"
        return f"is started again {when} (attempt {self.attempt})"


class Failed(Event):
    """It is given up, until somebody starts it.

    reason: why, in words. status: as in ``Exited``; None also if no process has ended. lines: the
    last lines of its output.
    """

    __slots__ = ("reason", "status", "lines")

    def __init__(
        self,
        time: float,
        name: str,
        reason: str,
        status: int | None,
        lines: "Sequence[str]" = (),
    ) -> None:
        super().__init__(time, name)
        self.reason = reason
        self.status = status
        self.lines = list(lines)

    def words(self) -> str:
        """Say it, with the last lines of output below."""
        shown = [f"is given up: {self.reason}"]
        if self.lines:
            shown += ["its last lines:", *(f"    {line}" for line in self.lines)]
        return "\n".join(shown) if len(shown) > 1 else shown[0]


class Stopping(Event):
    """Its stop has begun."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "is stopping"


class Stopped(Event):
    """Nothing of it runs."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "has stopped"


class Reloaded(Event):
    """It was told to read its configuration again."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "was told to reload"


class Healthy(Event):
    """Its health check succeeds again."""

    __slots__ = ()

    def words(self) -> str:
        """Say it."""
        return "is healthy again"


class Unhealthy(Event):
    """Its health check, or its watchdog, has failed; ``reason`` in words."""

    __slots__ = ("reason",)

    def __init__(self, time: float, name: str, reason: str) -> None:
        super().__init__(time, name)
        self.reason = reason

    def words(self) -> str:
        """Say it."""
        return f"is unhealthy: {self.reason}"


class StatusText(Event):
    """It reports what it does (STATUS= of sd_notify(3)), or a problem that stops nothing."""

    __slots__ = ("text",)

    def __init__(self, time: float, name: str, text: str) -> None:
        super().__init__(time, name)
        self.text = text

    def words(self) -> str:
        """Say it."""
        return f"reports: {self.text}"


def describe_end(status: int | None) -> str:
    """Return the end of a process in words; ``status`` as in ``Exited``."""
    if status is None:
        return "has ended, nobody knows how"
    if status >= 0:
        return f"exited with status {status}"
    return f"was ended by {signal_name(-status)}"


def describe_error(error: "Error | OSError") -> str:
    """Return an error in words; the sentences are loaded by the first one."""
    from ssd.sentences import describe

    return describe(error)

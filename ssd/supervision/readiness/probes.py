"""Attempts to find out whether a service works: a command, a connection. None of them waits.

An attempt calls ``done`` once, with None for a success or else the reason in words, perhaps before
``begin`` returns. ``end`` ends it without a call.
"""

from ssd.errors import Error
from ssd.matching import Match
from ssd.service import addresses
from ssd.signals import raw as signals
from ssd.stopping import Stop
from ssd.supervision.effects.held import reap_when_ended
from ssd.supervision.events import describe_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    from ssd.supervision.effects.held import OwnChild
    from ssd.supervision.supervisor import Timer
    from ssd.supervision.unit import Unit

    Done = Callable[[str | None], object]
    # Returns an attempt that is to begin; or makes one at once, and returns None.
    Attempt = Callable[[Done], "Probe | None"]


KILL = "KILL/1"  # the end of the wait is left to ``reap_when_ended``


class Probe:
    """One attempt for a unit; ``seconds`` is its limit, None for none."""

    __slots__ = ("unit", "_seconds", "_done", "_timer")

    def __init__(self, unit: "Unit", seconds: float | None, done: "Done") -> None:
        self.unit = unit
        self._seconds = seconds
        self._done = done
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Begin the attempt."""
        raise NotImplementedError

    def end(self) -> None:
        """End it without a result."""
        if self._timer is not None:
            self.unit.supervisor.cancel(self._timer)
            self._timer = None

    def _limit(self) -> None:
        if self._seconds is not None:
            self._timer = self.unit.supervisor.after(self._seconds, self._late)

    def _late(self) -> None:
        self._finish(f"{self._subject()} took longer than {self._seconds:g} seconds")

    def _subject(self) -> str:
        return "it"

    def _finish(self, reason: str | None) -> None:
        self.end()
        self._done(reason)


class CommandProbe(Probe):
    """A command, which succeeds with exit status 0.

    It runs as hooks do. At its limit it is killed with all that it has started.
    """

    __slots__ = ("_words", "_child")

    def __init__(
        self, unit: "Unit", words: "list[str]", seconds: float | None, done: "Done"
    ) -> None:
        super().__init__(unit, seconds, done)
        self._words = words
        self._child: OwnChild | None = None

    def begin(self) -> None:
        """Start the command."""
        supervisor = self.unit.supervisor
        try:
            self._child = supervisor.effects.run_probe(self.unit, self._words)
        except (Error, OSError) as error:  # for example, it is on a file system mounted later
            from ssd.sentences import describe

            self._finish(describe(error))
            return
        supervisor.watch.hold(self._child, self._ended)
        self._limit()

    def end(self) -> None:
        """Kill the command if it runs."""
        super().end()
        child, self._child = self._child, None
        if child is None:
            return
        from ssd.trees import Tree

        supervisor = self.unit.supervisor
        supervisor.watch.release(child)
        tree = Tree(among=tuple)  # what has lost its parent is left to the service's stop
        with Stop(Match(pid=child.pid), KILL, tree=tree, table=supervisor.table) as stop:
            stop.step()
        if stop.failure is not None:  # no descriptor is left to look with
            child.signal(signals.SIGKILL)
        reap_when_ended(supervisor.watch, child)

    def _ended(self) -> None:
        child = self._child
        if child is None:
            return
        try:
            status = child.poll()
            if status is None:
                return  # it is still held by a tracer (ptrace(2))
        except ChildProcessError:
            status = None  # other code has reaped it
        self._child = None
        self.unit.supervisor.watch.release(child)
        child.close()
        self._finish(None if status == 0 else f"{self._subject()} {describe_end(status)}")

    def _subject(self) -> str:
        return f"the command {self._words[0]}"


class AddressProbe(Probe):
    """A connection to a port or a Unix socket, which is closed as soon as it is made."""

    __slots__ = ("_address", "_socket")

    def __init__(self, unit: "Unit", address: str, seconds: float | None, done: "Done") -> None:
        super().__init__(unit, seconds, done)
        self._address = address
        self._socket: socket | None = None

    def begin(self) -> None:
        """Begin to connect."""
        try:
            self._socket = addresses.begin(addresses.parse(self._address))
        except OSError as error:  # for example in a directory that is made later
            self._finish(f"{self._address}: {error.strerror}")
            return
        if self._socket is None:
            self._finish(f"nothing listens at {self._address}")
            return
        self.unit.supervisor.watch.add(self._socket.fileno(), self._connected, writing=True)
        self._limit()

    def end(self) -> None:
        """Close the connection."""
        super().end()
        made, self._socket = self._socket, None
        if made is not None:
            self.unit.supervisor.watch.remove(made.fileno())
            made.close()

    def _connected(self) -> None:
        if self._socket is not None:
            answers = addresses.ended(self._socket)
            self._finish(None if answers else f"nothing listens at {self._address}")

    def _subject(self) -> str:
        return f"a connection to {self._address}"


def probe(
    unit: "Unit", kind: str, command: "list[str]", address: str, seconds: float | None, done: "Done"
) -> Probe:
    """Return an attempt of a kind: command, port or socket."""
    if kind == "command":
        return CommandProbe(unit, command, seconds, done)
    return AddressProbe(unit, address, seconds, done)


LONGEST_PAUSE = 1.0  # seconds
GROWTH = 1.5


def pause(first: float, number: int) -> float:
    """Return the seconds after attempt ``number`` (from 0): they grow, up to a second.

    So what takes long is not asked often, and what is ready is found soon: a wait is at most half
    as long as all before it, and a bit.
    """
    return float(min(LONGEST_PAUSE, first * GROWTH ** min(number, 50)))


class Probing:
    """What makes one probe of a service at a time, the next one after a pause."""

    __slots__ = ("unit", "_probe", "_timer")

    def __init__(self, unit: "Unit") -> None:
        self.unit = unit
        self._probe: Probe | None = None
        self._timer: Timer | None = None

    def end_probes(self) -> None:
        """Make no more, and end the one that is being made."""
        if self._timer is not None:
            self.unit.supervisor.cancel(self._timer)
            self._timer = None
        if self._probe is not None:
            self._probe.end()
            self._probe = None


class Attempts(Probing):
    """Attempts after growing pauses, until one succeeds; then ``succeeded`` is called.

    ``reason``: why the last one has failed; "" if none has.
    """

    __slots__ = ("reason", "_attempt", "_first", "_succeeded", "_count")

    def __init__(
        self, unit: "Unit", attempt: "Attempt", succeeded: "Callable[[], object]", first: float
    ) -> None:
        """``first``: seconds between the first two attempts."""
        super().__init__(unit)
        self.reason = ""
        self._attempt = attempt
        self._first = first
        self._succeeded = succeeded
        self._count = 0

    def begin(self) -> None:
        """Make the first attempt."""
        self._timer = None
        self._probe = made = self._attempt(self._ended)
        if made is not None:
            made.begin()

    def _ended(self, reason: str | None) -> None:
        self._probe = None
        self._count += 1
        if reason is None:
            self._succeeded()
            return
        self.reason = reason
        seconds = pause(self._first, self._count - 1)
        self._timer = self.unit.supervisor.after(seconds, self.begin)

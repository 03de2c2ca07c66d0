"""Requests that wait for what becomes of a service: only the decision, and the last line.

A client that has asked for a start is answered when the service is ready or has failed; the event
that says so may come from anybody's wish.
"""

from ssd.supervision import states
from ssd.supervision.control.protocol import line, success
from ssd.supervision.events import Failed, describe_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.supervision.control.connections import Client
    from ssd.supervision.control.protocol import Request
    from ssd.supervision.control.steps import Steps
    from ssd.supervision.events import Event
    from ssd.supervision.unit import Unit

# Outcomes of a wish, which are those of a step in ``ssd.service.verbs``. RUNNING: it ran already.
# NOTHING: it did not run. ACCEPTED: the client does not wait for it.
DONE, FAILED, SURVIVED, DENIED, NOTHING = "done", "failed", "survived", "denied", "nothing"
RUNNING, ABSENT, ACCEPTED, UNSUPPORTED = "running", "absent", "accepted", "unsupported"
WELL = (DONE, RUNNING, NOTHING, ABSENT, ACCEPTED)  # but for NOTHING of a reload


class Verdict:
    """What became of a wish: an outcome, why in words if it is not plain, and the last output.

    ``steps``: what was done, if the client has asked for that.
    """

    __slots__ = ("outcome", "message", "lines", "steps")

    def __init__(self, outcome: str, message: str = "", lines: "Sequence[str]" = ()) -> None:
        self.outcome = outcome
        self.message = message
        self.lines = list(lines)
        self.steps: list[dict[str, object]] | None = None

    def to_dict(self) -> "dict[str, object]":
        """Return the fields of an answer."""
        fields: dict[str, object] = {"outcome": self.outcome}
        if self.message:
            fields["message"] = self.message
        if self.lines:
            fields["lines"] = self.lines
        if self.steps is not None:
            fields["steps"] = self.steps
        return fields

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verdict) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # the lines are a list

    def __repr__(self) -> str:
        return f"Verdict({self.outcome!r}, {self.message!r}, {self.lines!r})"


class Wait:
    """A request that waits for services: ``left`` are those it still waits for.

    ``now``: the time of ``table.now()``. ``count``: how many services there were. ``whole``:
    whether it is for all services. ``failed``: those that have failed.
    """

    __slots__ = ("client", "id", "verb", "whole", "left", "count", "failed", "_steps")

    def __init__(
        self, client: "Client", request: "Request", names: "Sequence[str]" = (), now: float = 0.0
    ) -> None:
        self.client = client
        self.id = request.id
        self.verb = request.verb
        self.whole = request.name is None
        self.left = set(names)
        self.count = len(names)
        self.failed: list[str] = []
        self._steps: Steps | None = None
        if request.flag("steps"):
            from ssd.supervision.control import steps

            self._steps = steps.Steps(now)

    def judge(self, event: "Event", unit: "Unit | None") -> "Verdict | None":
        """Note an event, and return what it means for the wish, as ``judge`` does."""
        if self._steps is not None and unit is not None:
            self._steps.note(event, unit)
        return judge(self.verb, event, unit)

    def complete(self, verdict: Verdict, unit: "Unit | None") -> None:
        """Add to a verdict on a service what was done, if the client has asked for that."""
        if self._steps is not None:
            verdict.steps = [] if unit is None else self._steps.of(unit)


def is_well(verb: str, verdict: Verdict) -> bool:
    """Tell whether an outcome of a verb is none to complain of."""
    nothing = verdict.outcome == NOTHING and verb in ("reload", "force-reload", "signal")
    return verdict.outcome in WELL and not nothing


def told(id: "int | str | None", name: str, verb: str, verdict: Verdict) -> bytes:
    """Write the last line of an answer about one service."""
    if is_well(verb, verdict):
        return success(id, name=name, **verdict.to_dict())
    return line(id, ok=False, error="failed", **{"message": "", "name": name, **verdict.to_dict()})


def judge(verb: str, event: "Event", unit: "Unit | None") -> "Verdict | None":
    """Return what an event means for a wish of a verb; None if it must wait on.

    ``unit`` is the service's, None if it is gone.
    """
    kind = event.kind
    if verb == "stop":
        if kind == "stopped":
            return Verdict(DONE)
        if isinstance(event, Failed):  # the process outlived the signals, unless all has stopped
            stopped = unit is not None and unit.state == states.WAITING
            return Verdict(DONE) if stopped else Verdict(SURVIVED, event.reason)
        if kind in ("started", "ready") and unit is not None and unit.goal != states.STOP:
            return Verdict(FAILED, "it was started meanwhile by another caller")
        return None
    if kind == "ready":  # the start of a task waits for its end
        return None if unit is not None and unit.service.task else Verdict(DONE)
    if isinstance(event, Failed):
        return Verdict(FAILED, event.reason, event.lines)
    if kind == "restarting":
        end = "" if unit is None or unit.last is None else f"it {describe_end(unit.last.status)}; "
        return Verdict(FAILED, f"{end}it {event.words()}")
    if kind == "stopped" and (unit is None or unit.goal == states.STOP):
        done = unit is not None and unit.completed
        return Verdict(DONE) if done else Verdict(FAILED, "it has stopped before it was ready")
    return None

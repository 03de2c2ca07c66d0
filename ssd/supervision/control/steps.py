"""What was done to a service while a request waited: the steps of an answer.

Loaded only if a client asks for steps.
"""

from ssd.signal_names import signal_name
from ssd.signals import signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.stopping import Round
    from ssd.supervision.events import Event
    from ssd.supervision.unit import Unit

    Timed = tuple[float, dict[str, object]]

# The kind of an event -> the step that it is (docs/reference/json.md). STARTED: a start is over.
_STEPS = {"starting": "starting", "started": "spawned", "ready": "started", "exited": "ended"}


class Steps:
    """The steps to each service since a time of ``table.now()``."""

    __slots__ = ("since", "_noted")

    def __init__(self, since: float) -> None:
        self.since = since
        self._noted: dict[str, list[Timed]] = {}

    def note(self, event: "Event", unit: "Unit") -> None:
        """Note an event that is a step; the unit is that of its service."""
        fields = event.fields()
        if event.kind == "reloaded":
            number = signal_number(unit.service.reload_signal) or 0
            step: dict[str, object] = {"event": "signal", "signal": _name(number)}
        elif event.kind in _STEPS:
            step = {"event": _STEPS[event.kind]}
        else:
            return
        if "pid" in fields:
            step["pid"] = fields["pid"]
        elif event.kind != "starting" and unit.main is not None:
            step["pid"] = unit.main.pid
        if fields.get("status") is not None:
            step["exit_status"] = fields["status"]
        self._noted.setdefault(event.name, []).append((unit.supervisor.table.now(), step))

    def of(self, unit: "Unit") -> "list[dict[str, object]]":
        """Return the steps to a service, in their order, with the signals of its stops."""
        since = self.since
        rounds = [each for stop in unit.stops for each in stop if each.time >= since]
        found = [step for each in rounds for step in _signals(each)]
        found += self._noted.get(unit.name, ())
        found.sort(key=lambda each: each[0])  # a signal stays before the end that it brings
        return [{"at": round(time - since, 4), **step} for time, step in found]


def _signals(sent: "Round") -> "Iterator[Timed]":
    """Yield the steps of a signal to several processes."""
    name = _name(sent.signum)
    for process in sent.signalled:
        yield sent.time, {"event": "signal", "pid": process.pid, "signal": name}
    for process, error in sent.denied:
        reason = error.strerror or str(error)
        yield sent.time, {
            "event": "denied", "pid": process.pid, "signal": name, "reason": reason,
        }  # fmt: skip


def _name(number: int) -> str:
    return signal_name(number).removeprefix("SIG")

"""What holds a service up in a supervisor: what it needs before its start, or before its stop.

A gate is looked at when its service comes to it, and again when one of those that it waits for
has changed; so an event costs no more than the services that wait for it.
"""

from ssd.supervision import states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.supervisor import Supervisor
    from ssd.supervision.unit import Unit

# on_required_failure of a declaration
FAIL, IGNORE, STOP = "fail", "ignore", "stop"


def check_start(supervisor: "Supervisor", unit: "Unit") -> None:
    """Let a start go on if all that it needs is there; give it up if a requirement has failed.

    What it needs may wait to stop until it has stopped, and somebody has wished otherwise since.
    """
    order, units = supervisor.order, supervisor.units
    _check_stops(supervisor, unit)
    for name in order.required.get(unit.name, ()):
        need = units.get(name)
        if need is None or need.is_up:
            continue
        if not (need.state == states.FAILED and need.at_rest):
            return
        if unit.service.on_required_failure != IGNORE:
            unit.failure = f"it requires {name}, which has failed"
            unit.take(states.BLOCKED)
            return
    for name in order.wanted.get(unit.name, ()):
        want = units.get(name)
        if want is not None and not want.is_up and not want.at_rest:
            return
    unit.take(states.CLEAR)  # now: in the next turn a requirement may be gone


def check_stop(supervisor: "Supervisor", unit: "Unit") -> None:
    """Let a stop go on unless a service that depends on this one is being stopped, too."""
    for name in supervisor.order.dependents.get(unit.name, ()):
        other = supervisor.units.get(name)
        if other is not None and other.goal == states.STOP and not other.at_rest:
            return
    supervisor.feed(unit, states.CLEAR)


def opened(supervisor: "Supervisor", unit: "Unit") -> None:
    """Look again at those that wait for a service to be up."""
    for name in supervisor.order.dependents.get(unit.name, ()):
        other = supervisor.units.get(name)
        if other is not None and other.state == states.STARTING:
            check_start(supervisor, other)


def settled(supervisor: "Supervisor", unit: "Unit") -> None:
    """Look again at those that wait for a service, which has stopped or failed now."""
    if unit.state == states.FAILED:
        take_along(supervisor, unit, f"it requires {unit.name}, which has failed")
    opened(supervisor, unit)
    _check_stops(supervisor, unit)
    if unit.removed and unit.at_rest:
        supervisor.drop(unit)


def _check_stops(supervisor: "Supervisor", unit: "Unit") -> None:
    """Look again at those that may wait for the end of a service before they stop."""
    for name in supervisor.order.needs(unit.name):
        other = supervisor.units.get(name)
        if other is not None and other.state == states.STOPPING:
            check_stop(supervisor, other)


def take_along(supervisor: "Supervisor", unit: "Unit", reason: str) -> None:
    """Stop those that require a service and declare that they stop with it."""
    for name in supervisor.order.dependents.get(unit.name, ()):
        other = supervisor.units.get(name)
        if other is None or unit.name not in supervisor.order.required.get(name, ()):
            continue
        if other.service.on_required_failure != STOP or other.at_rest:
            continue
        if other.state != states.STARTING:  # such a one sees the failure at its gate
            other.failure = reason or None
            supervisor.feed(other, states.DO_STOP)

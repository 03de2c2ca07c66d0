"""What a supervisor knows of a service, as plain values for the control socket."""

from ssd.supervision import states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.unit import Unit

# The words of a status (``ssd.service.verbs``): DEAD is a service that should run and does not.
# ``answers``, which does not load this module, has them again.
RUNNING, DEAD, STOPPED = "running", "dead", "stopped"


def outcome(unit: "Unit") -> str:
    """Return what a look at a service finds: RUNNING, DEAD or STOPPED."""
    if unit.main is not None:
        return RUNNING
    if unit.state == states.FAILED or unit.goal == states.RESPAWN:
        return DEAD
    return STOPPED


def gather(unit: "Unit", now: float) -> "dict[str, object]":
    """Return the facts of a service; what has its usual value is left out.

    ``now``: the time of the unit's clock. Seconds are from now on, or back from now.
    """
    facts: dict[str, object] = {
        "name": unit.name,
        "found": outcome(unit),
        "state": unit.state,
        "goal": unit.goal,
    }
    if (declared := unit.supervisor.view.name(unit)) != unit.name:
        facts["declared_as"] = declared
    if unit.main is not None:
        facts["pid"] = unit.main.pid
    if unit.since is not None:
        facts["uptime"] = round(max(0.0, now - unit.since), 3)
    if unit.restarts:
        facts["restarts"] = unit.restarts
    if unit.last is not None:
        facts["last_exit"] = unit.last.status
        facts["last_exit_time"] = unit.last.time
    if unit.next_attempt is not None:
        facts["next_attempt"] = round(max(0.0, unit.next_attempt - now), 3)
    if unit.failure is not None:
        facts["failure"] = unit.failure
    if unit.status_text:
        facts["status_text"] = unit.status_text
    if not unit.healthy:
        facts["healthy"] = False
    if unit.completed:
        facts["completed"] = True
    return facts


def gather_all(unit: "Unit", now: float) -> "dict[str, object]":
    """Return the facts of one service, and what its declaration says of them."""
    service, view = unit.service, unit.supervisor.view
    refusal = view.refusal(unit)
    return {
        **gather(unit, now),
        **({"refusal": refusal} if refusal else {}),
        **({} if view.is_installed(unit) else {"absent": str(service.program)}),
        "start_time": None if unit.main is None else unit.main.start_time,
        "description": service.description,
        "declared_in": service.file,
        "pidfile": None if service.pidfile == "none" else service.pidfile,
        "log": unit.supervisor.outputs.path_of(unit),
        "changed": unit.changed is not None,
        "reloads": service.reload_signal != "none",
    }

"""Hooks of a service: shell commands of its declaration, run around its start and its stop."""

from ssd.errors import Error
from ssd.supervision import events, states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.effects.held import Held, OwnChild
    from ssd.supervision.unit import Unit


STATES = {
    "before_start": states.PRE_START, "after_start": states.POST_START,
    "before_stop": states.PRE_STOP, "after_stop": states.POST_STOP,
}  # fmt: skip


def run(unit: "Unit", field: str) -> None:
    """Run a hook, if one is declared; its end is an input of the unit."""
    if not getattr(unit.service, field):
        unit.supervisor.feed(unit, states.DONE)
        return
    try:
        unit.hook = unit.supervisor.effects.run_hook(unit, field)
    except (Error, OSError) as error:
        unit.hook_mark = None
        _failed(unit, events.describe_error(error))
        return
    unit.supervisor.record(unit)
    watch(unit, field)


def watch(unit: "Unit", field: str) -> None:
    """Wait for the hook that runs."""
    hook = unit.hook
    if hook is not None:
        unit.supervisor.watch.hold(hook, lambda: _ended(unit, hook, field))


def _ended(unit: "Unit", hook: "OwnChild | Held", field: str) -> None:
    """Reap a hook, and go on if its unit waits for it."""
    try:
        status = hook.poll()
        if status is None:
            return
    except ChildProcessError:
        status = None  # it was an earlier supervisor's, and nobody knows how it ended
    unit.supervisor.watch.release(hook)
    hook.close()
    if unit.hook is hook:
        unit.hook = unit.hook_mark = None
    if unit.state == states.KILLED:
        unit.drive()
    elif unit.state != STATES[field]:
        return  # it was overtaken
    elif status is None and unit.state == states.PRE_START:
        run(unit, field)  # only success lets the service start
    elif status:
        _failed(unit, f"{field} {events.describe_end(status)}")
    else:
        unit.supervisor.feed(unit, states.DONE)


def _failed(unit: "Unit", reason: str) -> None:
    """Only a failed hook before the start prevents anything."""
    if unit.state == states.PRE_START:
        unit.attempt_failed(reason)
        return
    unit.complain(reason)
    unit.supervisor.feed(unit, states.DONE)

"""Keep services running: start them in order, watch them, bring them back, stop them.

``Supervisor`` is an engine in the shape of ``ssd.Stop``: it waits for nothing itself, so any loop
can drive it. ``run`` blocks; ``ssd.supervision.aio`` is for asyncio. The command ``ssd-supervise``
is built on it.
"""

from ssd import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.effects.held import Exit as Exit
    from ssd.supervision.events import Adopted as Adopted
    from ssd.supervision.events import Event as Event
    from ssd.supervision.events import Exited as Exited
    from ssd.supervision.events import Failed as Failed
    from ssd.supervision.events import Healthy as Healthy
    from ssd.supervision.events import Ready as Ready
    from ssd.supervision.events import Reloaded as Reloaded
    from ssd.supervision.events import Restarting as Restarting
    from ssd.supervision.events import Started as Started
    from ssd.supervision.events import Starting as Starting
    from ssd.supervision.events import StatusText as StatusText
    from ssd.supervision.events import Stopped as Stopped
    from ssd.supervision.events import Stopping as Stopping
    from ssd.supervision.events import Unhealthy as Unhealthy
    from ssd.supervision.order import Circle as Circle
    from ssd.supervision.order import MissingRequirement as MissingRequirement
    from ssd.supervision.supervisor import Supervisor as Supervisor
    from ssd.supervision.supervisor import Update as Update
    from ssd.supervision.supervisor import follow as follow
    from ssd.supervision.supervisor import run as run
    from ssd.supervision.unit import Unit as Unit

if not TYPE_CHECKING:
    _HOMES = {
        "events": (
            "Adopted", "Event", "Exited", "Failed", "Healthy", "Ready", "Reloaded", "Restarting",
            "Started", "Starting", "StatusText", "Stopped", "Stopping", "Unhealthy",
        ),
        "effects.held": ("Exit",),
        "order": ("Circle", "MissingRequirement"),
        "supervisor": ("Supervisor", "Update", "follow", "run"),
        "unit": ("Unit",),
    }  # fmt: skip
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)

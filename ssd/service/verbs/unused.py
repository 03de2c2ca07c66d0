"""Say which fields of a declaration have no effect in a plain start: few declare any."""

from ssd.service.fields import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.verbs.steps import Steps

STREAMS = ("output", "stdout", "stderr", "log")


def complain(steps: "Steps") -> None:
    """Name what only a process that stays can do."""
    service = steps.service
    unused = [name for name in ("health", "watchdog") if getattr(service, name) != DEFAULTS[name]]
    if not service.background:  # the program goes there itself, with the output that we have
        unused += [name for name in STREAMS if getattr(service, name) != DEFAULTS[name]]
    elif service.log["forward"]:
        unused.append("log.forward")
    if unused:
        steps.complain(f"{service.name}: no effect without ssd-supervise: {', '.join(unused)}")

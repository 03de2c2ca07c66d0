"""What a plain start does itself, and a supervisor in a way of its own: logs, and a marker."""

from ssd.service.fields import DEFAULTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.declaration import Service

DEFAULT_LOG: "dict[str, object]" = DEFAULTS["log"]  # type: ignore[assignment]


def of_plain_start(service: "Service") -> "dict[str, Any]":
    """Return the keywords of the Command; an ``output`` goes before a log, as in a supervisor.

    A log counts if it is not the default: a supervisor's log is no reason for a process of its own.
    """
    found: dict[str, Any] = {}
    if service.stdout is not None:
        found["stdout"] = service.stdout
    if service.stderr is not None:
        found["stderr"] = service.stderr
    declared = {
        key: value
        for key, value in service.log.items()
        if value != DEFAULT_LOG[key] and key != "forward"
    }
    if declared and service.output is None and service.console != "none":
        found["logger"] = {**declared, "name": service.name}
    if service.kill_mode in ("tree", "cgroup"):
        found["tree"] = True
    return found

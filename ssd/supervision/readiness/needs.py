"""What a service needs of its supervisor beyond a program that is executed.

Most need nothing, and then no more modules are loaded, and no default values made for them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


def gate(service: "Service") -> bool:
    """Tell whether a service is ready only some time after its program is executed."""
    if service.expect == "stop" or background(service):
        return True
    return declares(service, "readiness") and service.readiness["kind"] != "exec"


def background(service: "Service") -> bool:
    """Tell whether the first process of a service ends while the service goes on."""
    return not service.background or service.expect in ("fork", "daemon")


def notifications(service: "Service") -> bool:
    """Tell whether a service gets the address of the notification socket."""
    if service.watchdog:
        return True
    return declares(service, "readiness") and service.readiness["kind"] == "notify"


def checks(service: "Service") -> bool:
    """Tell whether a running service is checked."""
    if service.watchdog:
        return True
    return declares(service, "health") and service.health["kind"] != "none"


def declares(service: "Service", name: str) -> bool:
    """Tell whether a field was given; to look at any other one makes its default."""
    try:
        getattr(type(service), name).__get__(service)
    except AttributeError:
        return False
    return True

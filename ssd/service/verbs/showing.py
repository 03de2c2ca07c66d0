"""Say what verbs a service has, and the command line of its program."""

from ssd import statuses
from ssd.service import verbs
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service

STDOUT, STDERR = 1, 2


def show_arguments(service: "Service") -> int:
    """Print the command line of the program."""
    service.command()  # raises DeclarationError without a program
    write(STDOUT, " ".join(service.argv) + "\n")
    return statuses.SUCCESS


def usage(service: "Service", script: str, status: int = statuses.UNIMPLEMENTED) -> int:
    """Print the verbs that the service has, and return the status."""
    write(STDERR, f"{usage_of(service, script)}\n")
    return status


def usage_of(service: "Service", script: str) -> str:
    """Return the line with the verbs that the service has."""
    offered = "|".join(verbs.offered(service.reload_signal != "none"))
    return f"Usage: {script} {{{offered}}}"

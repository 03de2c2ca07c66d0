"""Run the pieces of shell that a service has before and after its start and stop."""

import os

from ssd.errors import Error
from ssd.service.sources.sh import SHELL
from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


class HookFailed(Error):
    """A hook ended with a status that is not 0. ``field`` names it."""

    def __init__(self, field: str, status: int) -> None:
        how = f"status {status}" if status >= 0 else f"signal {-status}"
        super().__init__(f"{field} ended with {how}")
        self.field = field
        self.status = status


def run(service: "Service", field: str) -> None:
    """Run a hook by /bin/sh -e in the service's environment. Raises HookFailed."""
    text = getattr(service, field)
    if not text:
        return
    from ssd.service.surroundings import environment

    words = [SHELL, "-e", "-c", text, service.name]
    pid = os.posix_spawn(SHELL, words, environment(service), setsigdef=IGNORED)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise HookFailed(field, status)

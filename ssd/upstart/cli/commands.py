"""The commands that jobs call: ``start``, ``stop``, ``initctl`` and others, first in their PATH.

A job says ``start other`` and ``initctl emit``, and on most machines nothing is called so. One
directory beside the run directories has links of these names to the installed ssd-initctl; other
users may pass, because jobs with ``setuid`` call them, too.
"""

import os

from ssd.errors import Error
from ssd.upstart.cli.links import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.places import Places

NAMES = ("initctl", "reload", "restart", "start", "status", "stop")
COMMAND = "ssd-initctl"
DIRECTORY = "%bin"  # beside the run directories; it is no name of one
PATH = "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin"  # Upstart's for jobs


class Missing(Error):
    """ssd-initctl is not installed beside ssd-supervise."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is missing: jobs cannot call initctl, start, stop and others")
        self.path: str = path


def extend(path: str, place: "Places", program: str) -> str:
    """Return a PATH for jobs in which the commands are found.

    program: the path of ssd-supervise without links; ssd-initctl is beside it. Raises Missing, and
    OSError if the links cannot be made.
    """
    command = f"{os.path.dirname(program)}/{COMMAND}"
    if not os.path.exists(command):
        raise Missing(command)
    for each in path.split(":"):
        found = f"{each}/initctl"
        if os.access(found, os.X_OK):
            if os.path.realpath(found) == os.path.realpath(command):
                return path
            break
    directory = f"{os.path.dirname(place.path)}/{DIRECTORY}"
    _link(directory, command)
    return f"{directory}:{path}"


def _link(directory: str, command: str) -> None:
    """Have a directory with a link of each name; those that are right stay."""
    try:
        os.mkdir(directory, 0o755)
    except FileExistsError:
        pass
    else:
        os.chmod(directory, 0o755)  # the umask may have changed the mode of mkdir(2)
    for name in NAMES:
        path = f"{directory}/{name}"
        try:
            if os.readlink(path) == command:
                continue
        except OSError:
            pass  # it is not there yet
        replace(path, command)

"""The commands that jobs call: ``start``, ``stop``, ``initctl`` and others, first in their PATH.

A job says ``start other`` and ``initctl emit``, and on most machines nothing is called so. One
directory beside the run directories has links of these names to the installed programs; other
users may pass, because jobs with ``setuid`` call them, too.
"""

import os

from ssd.upstart.initctl import links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.places import Places

# ``service NAME VERB`` finds jobs, too, by ssd-service; that of Debian knows none.
NAMES = {**dict.fromkeys((*links.COMMANDS, "telinit"), links.COMMAND), "service": links.SERVICE}
DIRECTORY = "%bin"  # beside the run directories; it is no name of one


def extend(path: str, place: "Places", programs: str) -> str:
    """Return a PATH for jobs in which the commands are found.

    programs: the directory of the installed programs, without links. Raises NoLinks of
    ``ssd.upstart.initctl.links`` if one is missing there, and OSError.
    """
    command = os.path.realpath(f"{programs}/{links.COMMAND}")
    for each in path.split(":"):
        found = f"{each}/initctl"
        if os.access(found, os.X_OK):
            if os.path.realpath(found) == command:
                return path
            break
    directory = f"{os.path.dirname(place.path)}/{DIRECTORY}"
    if not os.path.isdir(directory):
        os.mkdir(directory)
        os.chmod(directory, 0o755)  # the umask may have changed the mode of mkdir(2)
    links.make(directory, programs, NAMES)
    return f"{directory}:{path}"
